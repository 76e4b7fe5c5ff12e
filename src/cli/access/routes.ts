import { command } from '../command.ts'
import { known, on, text, word } from '../routes/parameters.ts'

export const shell = command({
  brief: 'Open a shell beside a running instance, in a copy of its jail and environment',
  about:
    'The shell is bash, or sh where bash is missing, and starts in the folder of the release. It has the user, environment, secrets, /tmp and\n' +
    'system-call filter of the instance, and the same limits for itself. It ends when you leave, or when the instance is stopped.\n' +
    'With a command, runs that in the terminal instead of a shell. The event log keeps who opened it, and how long.',
  example: 'tandem shell shop\ntandem shell shop --instance shop-3f2a-b-1\ntandem shell db -- psql shop',
  parameters: {
    flags: {
      instance: known('instances', text('I', 'Instance, or the beginning of its id (default: one that is ready)')),
    },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: known('services', word('SERVICE [-- ARGV]', 'Name of the service; then a command, if not a shell')),
    },
  },
  load: async () => (await import('./program.ts')).openShell,
})

export const exec = command({
  brief: 'Run a command beside a running instance, in a copy of its jail and environment',
  about:
    "Passes standard input and output byte for byte, and exits with the command's exit status (128 and the signal's number after a signal).\n" +
    'The event log keeps the command as you type it: pass secrets through standard input.\n' +
    'For a command that needs no running instance: tandem run. In a terminal: tandem shell SERVICE -- ARGV.',
  example: 'tandem exec shop-3f2a-b-1 -- cat /proc/self/status\ntandem exec db-1 -- psql shop < fix.sql',
  parameters: {
    flags: { noStdin: on('Give the command an empty standard input') },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: known(
        'instances',
        word('INSTANCE -- ARGV', 'Instance, or the beginning of its id; then the command and its arguments'),
      ),
    },
  },
  load: async () => (await import('./program.ts')).runBeside,
})

export const forward = command({
  brief: 'Forward a port of this computer to a service or an instance',
  about:
    'Listens on 127.0.0.1 until Ctrl-C. PORT is a TCP port of the service, or 80 for http; any other is a port that the program itself opens.\n' +
    'Each connection goes to a ready instance; with the id of an instance, to that one. LOCAL is the port here (default: PORT; 0: a free one).\n' +
    'A rollout does not wait for these connections. The event log keeps who forwarded what, and how long.',
  example: 'tandem forward postgres 5432\ntandem forward postgres 15432:5432\ntandem forward shop 8080:80',
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        known('services', word('SERVICE', 'Name of a service, or an instance, or the beginning of its id')),
        word('[LOCAL:]PORT', 'Port here, and port there'),
      ],
    },
  },
  load: async () => (await import('./forward.ts')).forwardPort,
})
