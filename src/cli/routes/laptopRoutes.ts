import { command } from '../command.ts'
import { parseMachineCount } from '../flagValues.ts'
import { on, port, text, word } from './parameters.ts'

export const demo = command({
  brief: 'The tour: a pair, a rollout under load, a broken release reverted',
  about: 'Everything it starts ends with it. It takes under a minute and exits 0 only if no request failed.',
  example: 'tandem demo',
  parameters: { flags: { keep: on('Keep its data folder') } },
  load: async () => (await import('../commands/demo.ts')).demo,
})

export const init = command({
  brief: 'Write a commented tandem.yaml for what is found in a folder',
  example: 'tandem init\ntandem init services/shop',
  parameters: { positional: { kind: 'tuple', parameters: [{ ...word('DIR', 'The folder'), default: '.' }] } },
  load: async () => (await import('../commands/init.ts')).init,
})

export const up = command({
  brief: 'Run a cluster on this laptop, in the foreground',
  about:
    'One controller and N machines, each a process tree of its own. Brings back what ran in the data folder. ' +
    'Ctrl-C ends everything in order; a second one at once.',
  example: 'tandem up\ntandem up --machines 3 --data ./cluster --port 7500 --entry-port 9001',
  parameters: {
    flags: {
      machines: {
        ...{ kind: 'parsed', parse: parseMachineCount, placeholder: 'N', optional: true },
        brief: 'How many machines (default: as many as the data folder has, else 2)',
      },
      data: text('DIR', 'Where everything is kept (default: the XDG state folder)'),
      port: port("The controller's port", '7480'),
      entryPort: port('Machine a answers here, b on the next, …', '8001'),
    },
  },
  load: async () => (await import('../commands/up.ts')).up,
})

export const validate = command({
  brief: 'Check definitions, offline: tandem.yaml and cluster.yaml',
  example: 'tandem validate\ntandem validate services/*/tandem.yaml',
  parameters: {
    positional: { kind: 'array', parameter: word('FILE', 'Files, or folders with a tandem.yaml') },
  },
  load: async () => (await import('../commands/validate.ts')).validate,
})
