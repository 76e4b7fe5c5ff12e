import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { known, needed, on, text, word } from './parameters.ts'

const maybeContext = {
  kind: 'tuple',
  parameters: [
    { ...known('contexts', word('NAME', 'The name of a context; default: the one that is meant')), optional: true },
  ],
} as const
const contextName = { kind: 'tuple', parameters: [known('contexts', word('NAME', 'The name of a context'))] } as const
export const context = buildRouteMap({
  docs: { brief: 'Manage the clusters this user knows' },
  routes: {
    list: command({
      brief: 'Show the contexts; the current one is marked',
      example: 'tandem context list',
      parameters: {},
      load: async () => (await import('../commands/contexts.ts')).listContexts,
    }),
    use: command({
      brief: 'Make a context the current one',
      example: 'tandem context use production',
      parameters: { positional: contextName },
      load: async () => (await import('../commands/contexts.ts')).useContext,
    }),
    add: command({
      brief: 'Name a cluster: its address, its fingerprint and a token for it',
      about:
        'The token is taken from --token-file, else from TANDEM_TOKEN. The controller is asked before anything is saved. The first context becomes the current one. ' +
        'tandem context show --invite, on a computer that has the context, prints the whole line.',
      example: 'tandem context add production --url https://10.0.0.10:7480 --pin 3f9c… --token-file token.txt',
      parameters: {
        flags: {
          url: needed('URL', "The controller's address"),
          pin: text('SHA256', "The fingerprint of the cluster's authority; its controller is trusted by nothing else"),
          tokenFile: text('FILE', 'A file that holds the token; - reads standard input'),
        },
        positional: contextName,
      },
      load: async () => (await import('../commands/contexts.ts')).addContext,
    }),
    show: command({
      brief: 'Show where a context leads, or the line that makes it on another computer',
      example: 'tandem context show\ntandem context show production --invite',
      parameters: {
        flags: { invite: on('Print the whole line for another computer; it holds the token of this context') },
        positional: maybeContext,
      },
      load: async () => (await import('../commands/contexts.ts')).showContext,
    }),
    remove: command({
      brief: 'Forget a context; the cluster itself is not touched',
      example: 'tandem context remove old',
      parameters: { positional: contextName },
      load: async () => (await import('../commands/contexts.ts')).removeContext,
    }),
  },
})
