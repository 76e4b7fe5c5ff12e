import { command } from '../command.ts'
import { parseRelease } from '../flagValues.ts'
import { allowOutage, known, needed, on, oneService, text, word } from './parameters.ts'

export const push = command({
  brief: 'Build and test a folder, publish it as a release, roll it out',
  about: 'Ctrl-C while it rolls leaves the rollout running and says how to follow or abort it.',
  example: 'tandem push\ntandem push services/shop --context production',
  parameters: {
    flags: {
      file: text('FILE', 'The definition (default: tandem.yaml in DIR)'),
      noDeploy: on('Publish only'),
      allowOutage,
    },
    positional: { kind: 'tuple', parameters: [{ ...word('DIR', 'The folder'), optional: true }] },
  },
  load: async () => (await import('../commands/push.ts')).push,
})

export const deploy = command({
  brief: 'Roll a service to a release that is published already',
  example: 'tandem deploy shop --release 3f2a91bc04de',
  parameters: {
    flags: { release: { ...needed('ID', 'The release, or a prefix of its id'), parse: parseRelease }, allowOutage },
    positional: oneService,
  },
  load: async () => (await import('../commands/rolling.ts')).deploy,
})

export const rollback = command({
  brief: 'Roll a service back to the newest other release that worked',
  about: 'Twice returns to where you were.',
  example: 'tandem rollback shop\ntandem rollback shop --to 3f2a91bc04de',
  parameters: {
    flags: { to: { ...text('ID', 'The release, or a prefix of its id'), parse: parseRelease }, allowOutage },
    positional: oneService,
  },
  load: async () => (await import('../commands/rolling.ts')).rollback,
})

export const restart = command({
  brief: 'Restart a service as a rollout, without losing requests',
  example: 'tandem restart shop',
  parameters: { flags: { allowOutage }, positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).restart,
})

export const start = command({
  brief: 'Start a service that was stopped',
  example: 'tandem start shop',
  parameters: { positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).start,
})

export const stop = command({
  brief: 'Stop a service on every machine, after it has finished its work',
  example: 'tandem stop shop',
  parameters: { positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).stop,
})

export const remove = command({
  brief: 'Stop a service and forget it; its data folder stays unless told',
  example: 'tandem remove shop\ntandem remove shop --data',
  parameters: { flags: { data: on('Remove its data folder on every machine too') }, positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).remove,
})

export const runOnce = command({
  brief: "Run a one-off command with a service's release, environment and limits",
  about:
    'Its input, output and exit status become those of this command, byte for byte. Output that was cut never exits 0.\n' +
    'In a loop that reads its own input (`while read …`), give --no-stdin: the command would read it.',
  example:
    'tandem run shop -- ./bin/console --eval "1 + 1"\n' +
    'tandem run db -- pg_dump shop > shop.sql\ntandem run db -- psql shop < shop.sql',
  parameters: {
    flags: {
      machine: known('machines', text('M', 'On this machine (default: the first that is reachable)')),
      noStdin: on('Give the command an empty input'),
    },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: known('services', word('SERVICE -- ARGV', 'The service, then the command and its arguments')),
    },
  },
  load: async () => (await import('../commands/run.ts')).runOnce,
})
