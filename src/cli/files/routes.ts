import { command } from '../command.ts'

export const fill = command({
  brief: 'Fill in files from templates, as a request in JSON on standard input asks for',
  about:
    'The agent starts it in a process of its own for each rollout of a service with `files`.\n' +
    'The answer is JSON on standard output: the text of each file, or the problem.',
  example:
    'echo \'{"folder":"/srv/shop","files":{"a.conf":"a.liquid"},"variables":{},"secrets":{}}\' | tandem agent fill',
  parameters: {},
  load: async () => (await import('./fill.ts')).runFill,
})
