import { command } from '../command.ts'
import { parseMachineCount } from '../flagValues.ts'
import { on, port, text, word } from './parameters.ts'

export const demo = command({
  brief: 'Show a tour: start a pair, roll out under load, revert a broken release',
  about: 'Takes under a minute, and stops everything that it started. Exits with 0 only if no request failed.',
  example: 'tandem demo',
  parameters: { flags: { keep: on('Keep the data folder of the tour') } },
  load: async () => (await import('../commands/demo.ts')).demo,
})

export const init = command({
  brief: 'Write a commented tandem.yaml for the project in a folder',
  example: 'tandem init\ntandem init services/shop',
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...word('DIR', 'Folder of the project'), default: '.' }] },
  },
  load: async () => (await import('../commands/init.ts')).init,
})

export const up = command({
  brief: 'Run a cluster on this computer, in the foreground',
  about:
    'Starts one controller and N machines; each machine is a process tree. Starts the services that the data folder holds. ' +
    'Ctrl-C stops everything in order; a second Ctrl-C stops it at once.',
  example: 'tandem up\ntandem up --machines 3 --data ./cluster --port 7500 --entry-port 9001',
  parameters: {
    flags: {
      machines: {
        ...{ kind: 'parsed', parse: parseMachineCount, placeholder: 'N', optional: true },
        brief: 'Number of machines (default: as many as the data folder has, else 2)',
      },
      data: text('DIR', 'Data folder of the cluster (default: in the XDG state folder)'),
      port: port('Port of the controller', '7480'),
      entryPort: port('Port of machine a; machine b takes the next port, and so on', '8001'),
    },
  },
  load: async () => (await import('../commands/up.ts')).up,
})

export const validate = command({
  brief: 'Check tandem.yaml and cluster.yaml files, without a cluster',
  example: 'tandem validate\ntandem validate services/*/tandem.yaml',
  parameters: {
    positional: { kind: 'array', parameter: word('FILE', 'Files, or folders that hold a tandem.yaml') },
  },
  load: async () => (await import('../commands/validate.ts')).validate,
})
