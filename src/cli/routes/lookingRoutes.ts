import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parsePosition } from '../flagValues.ts'
import { known, maybeService, needed, on, oneService, text, word } from './parameters.ts'

export const status = command({
  brief: 'Show services, releases, machines, instances, and what is being rolled',
  example: 'tandem status\ntandem status shop --json',
  parameters: { positional: maybeService },
  load: async () => (await import('../commands/status.ts')).status,
})

export const rollouts = command({
  brief: 'Show the history of rollouts, newest last',
  example: 'tandem rollouts shop --limit 10',
  parameters: {
    flags: {
      limit: { kind: 'parsed', parse: parsePosition, placeholder: 'N', brief: 'At most so many', default: '20' },
    },
    positional: maybeService,
  },
  load: async () => (await import('../commands/rollouts.ts')).rollouts,
})

const oneRollout = {
  kind: 'tuple',
  parameters: [known('rollouts', word('ID', 'A rollout, or a prefix of its id'))],
} as const
export const rollout = buildRouteMap({
  docs: { brief: 'Show one rollout, or abort it' },
  routes: {
    show: command({
      brief: 'Show a rollout; while it runs, follow it to its end',
      example: 'tandem rollout show 4kf2m8xd',
      parameters: { flags: { noFollow: on('Show how it stands now') }, positional: oneRollout },
      load: async () => (await import('../commands/rollouts.ts')).showRollout,
    }),
    abort: command({
      brief: 'Go back to the release before, with the same care',
      example: 'tandem rollout abort 4kf2m8xd',
      parameters: { positional: oneRollout },
      load: async () => (await import('../commands/rollouts.ts')).abortRollout,
    }),
  },
})

export const releases = command({
  brief: 'Show what is published of a service, and what runs where',
  example: 'tandem releases shop',
  parameters: { positional: oneService },
  load: async () => (await import('../commands/releases.ts')).releases,
})

export const logs = command({
  brief: 'Show the output of instances, also of those that are gone',
  example: 'tandem logs shop -f\ntandem logs shop --since 10m --machine a',
  parameters: {
    flags: {
      follow: on('Go on as it comes'),
      since: {
        ...{ kind: 'parsed', parse: String, placeholder: 'WHEN', optional: true },
        brief: 'A duration (10m, 2h) or a time (2026-11-21T02:00:00Z)',
      },
      last: { kind: 'parsed', parse: parsePosition, placeholder: 'N', brief: 'Only the last lines', optional: true },
      machine: known('machines', text('M', 'Only of this machine')),
      instance: known('instances', text('I', 'Only of this instance, or a prefix of its id')),
    },
    aliases: { f: 'follow', n: 'last' },
    positional: oneService,
  },
  load: async () => (await import('../commands/logs.ts')).logs,
})

export const events = command({
  brief: 'Show the event log',
  example: 'tandem events -f\ntandem events --after 120 --json',
  parameters: {
    flags: {
      follow: on('Go on as it grows'),
      after: {
        ...{ kind: 'parsed', parse: parsePosition, placeholder: 'POSITION', default: '0' },
        brief: 'Only events after this position',
      },
    },
    aliases: { f: 'follow' },
  },
  load: async () => (await import('../commands/events.ts')).events,
})

export const doctor = command({
  brief: 'Check what must hold, on this machine or of the whole cluster, and say what is wrong and what to do',
  about:
    'On a machine that has joined a cluster, it looks at that machine, also when its agent or the controller is down. ' +
    'Elsewhere, and with --cluster, the controller is asked for all machines. Exits with 1 when anything is wrong.',
  example: 'tandem doctor\ntandem doctor --cluster --json\ntandem doctor --machine a',
  parameters: {
    flags: {
      cluster: on('The whole cluster, also on one of its machines'),
      machine: known('machines', text('M', 'Only this machine, through the controller')),
      data: text('DIR', 'This machine, whose agent keeps its data there'),
      secrets: { ...needed('DIR', 'Holds SERVICE.env files, on this machine'), default: '/etc/tandem/env' },
    },
  },
  load: async () => (await import('../commands/doctor.ts')).doctor,
})
