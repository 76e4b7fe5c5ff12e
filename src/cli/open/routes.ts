import { command } from '../command.ts'
import { parsePort } from '../flagValues.ts'
import { on, word } from '../routes/parameters.ts'

export const open = command({
  brief: 'Open the page of the cluster in a browser, signed in',
  about:
    'The page may do what the token of the context may. For a cluster on another computer, the command carries the page ' +
    'over its own connection, in the foreground until Ctrl-C.',
  example:
    'tandem open\ntandem open services/shop\ntandem open --no-browser\ntandem open --context production --port 7500',
  parameters: {
    flags: {
      noBrowser: on('Print the link instead; it works once, within a minute'),
      port: {
        ...{ kind: 'parsed', parse: parsePort, placeholder: 'PORT', optional: true },
        brief: 'Port on this computer for a cluster elsewhere (default: one that belongs to the context)',
      },
    },
    positional: {
      kind: 'tuple',
      parameters: [{ ...word('PATH', 'Address within the page, such as rollouts/4kf2m8xd'), default: '/' }],
    },
  },
  load: async () => (await import('./commands.ts')).openPage,
})
