import { command } from '../command.ts'
import { known, text, word } from '../routes/parameters.ts'

export const render = command({
  brief: 'Show the files of a service as a machine fills them in, with secrets masked',
  about:
    'Shows them with the release and the configuration with which the service runs; with --release, as a rollout would make them now.\n' +
    'With FILE, prints the text of that file and nothing else.',
  example: 'tandem render shop --machine a\ntandem render shop etc/app.conf --release 3f2a',
  parameters: {
    flags: {
      machine: known('machines', text('M', 'The machine (default: the first that runs the service)')),
      release: text('R', 'Another release: its id, or the beginning of it'),
    },
    positional: {
      kind: 'tuple',
      parameters: [
        known('services', word('SERVICE', 'Name of a service')),
        { ...word('FILE', 'Path of one file, such as etc/app.conf'), optional: true },
      ],
    },
  },
  load: async () => (await import('./render.ts')).renderFiles,
})

export const fill = command({
  brief: 'Fill in files from templates, as a request in JSON on standard input asks for',
  about:
    'The agent starts it in a process of its own for each rollout of a service with `files`.\n' +
    'The answer is JSON on standard output: the text of each file, or the problem.',
  example: 'tandem agent fill <request.json',
  parameters: {},
  load: async () => (await import('./fill.ts')).runFill,
})
