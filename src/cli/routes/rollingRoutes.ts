import { command } from '../command.ts'
import { parseRelease } from '../flagValues.ts'
import { allowOutage, known, needed, on, oneService, text, word } from './parameters.ts'

export const push = command({
  changes: true,
  brief: 'Build and test a folder, publish it as a release, and roll it out',
  about:
    'Ctrl-C during the rollout does not stop it; the command prints how to follow or abort the rollout. To try a rollout first: push --no-deploy, then deploy --dry-run.',
  example: 'tandem push\ntandem push services/shop --context production',
  parameters: {
    flags: {
      file: text('FILE', 'Definition of the service (default: tandem.yaml in DIR)'),
      noDeploy: on('Publish the release, but do not roll it out'),
      allowOutage,
    },
    positional: { kind: 'tuple', parameters: [{ ...word('DIR', 'Folder of the service'), optional: true }] },
  },
  load: async () => (await import('../commands/push.ts')).push,
})

export const deploy = command({
  dryRun: true,
  brief: 'Roll out a release that is already published',
  example: 'tandem deploy shop --release 3f2a91bc04de',
  parameters: {
    flags: {
      release: { ...needed('ID', 'Id of the release, or a prefix of it'), parse: parseRelease },
      allowOutage,
    },
    positional: oneService,
  },
  load: async () => (await import('../commands/rolling.ts')).deploy,
})

export const rollback = command({
  dryRun: true,
  brief: 'Roll a service back to the newest other release that completed a rollout',
  about:
    'A second rollback returns to the release you started from. Configuration and secrets stay those of today,\n' +
    'unless --with-config or --with-secrets takes those of the release.',
  example: 'tandem rollback shop\ntandem rollback shop --to 3f2a91bc04de',
  parameters: {
    flags: {
      to: { ...text('ID', 'Id of the release, or a prefix of it'), parse: parseRelease },
      withConfig: on('Also take the configuration with which that release ran last'),
      withSecrets: on('Also take the versions of secrets with which it ran last'),
      allowOutage,
    },
    positional: oneService,
  },
  load: async () => (await import('../commands/rolling.ts')).rollback,
})

export const restart = command({
  dryRun: true,
  brief: 'Restart a service by a rollout, without losing requests',
  example: 'tandem restart shop',
  parameters: { flags: { allowOutage }, positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).restart,
})

export const start = command({
  dryRun: true,
  brief: 'Start a stopped service',
  example: 'tandem start shop',
  parameters: { positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).start,
})

export const stop = command({
  dryRun: true,
  brief: 'Stop a service on every machine, after its running requests have finished',
  example: 'tandem stop shop',
  parameters: { positional: oneService },
  load: async () => (await import('../commands/rolling.ts')).stop,
})

export const remove = command({
  dryRun: true,
  brief: 'Stop a service and remove it; --data also removes its data',
  example: 'tandem remove shop\ntandem remove shop --data',
  parameters: {
    flags: {
      data: on('Also remove its data folder on every machine'),
      force: on('Remove it although other services use it'),
    },
    positional: oneService,
  },
  load: async () => (await import('../commands/rolling.ts')).remove,
})

export const runOnce = command({
  brief: "Run a one-off command with a service's release, environment and limits",
  about:
    "Passes standard input and output byte for byte, and exits with the command's exit status. If output is lost, never exits with 0.\n" +
    "In a loop that reads standard input (`while read …`), use --no-stdin, or the command reads the loop's input.",
  example:
    'tandem run shop -- ./bin/console --eval "1 + 1"\n' +
    'tandem run db -- pg_dump shop > shop.sql\ntandem run db -- psql shop < shop.sql',
  parameters: {
    flags: {
      machine: known('machines', text('M', 'Machine to run on (default: the first reachable machine)')),
      noStdin: on('Give the command an empty standard input'),
    },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: known('services', word('SERVICE -- ARGV', 'Name of the service, then the command and its arguments')),
    },
  },
  load: async () => (await import('../commands/run.ts')).runOnce,
})
