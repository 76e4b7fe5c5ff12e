import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parsePosition, parseRelease } from '../flagValues.ts'
import { at, known, maybeService, needed, on, oneService, text, word } from './parameters.ts'
import { secretsFolder } from '../../layout/folders.ts'

export const status = command({
  brief: 'Show services, releases, machines, instances and running rollouts',
  example: 'tandem status\ntandem status shop --json\ntandem status --watch\ntandem status --at 10m',
  parameters: {
    flags: { at, watch: on('Stay, and show each change at once') },
    positional: maybeService,
  },
  load: async () => (await import('../commands/status.ts')).status,
})

export const rollouts = command({
  brief: 'Show the history of rollouts, newest last',
  example: 'tandem rollouts shop --limit 10\ntandem rollouts --at 2026-11-21T02:00:00Z',
  parameters: {
    flags: {
      at,
      limit: {
        kind: 'parsed',
        parse: parsePosition,
        placeholder: 'N',
        brief: 'Show at most N rollouts',
        default: '20',
      },
    },
    positional: maybeService,
  },
  load: async () => (await import('../commands/rollouts.ts')).rollouts,
})

const oneRollout = {
  kind: 'tuple',
  parameters: [known('rollouts', word('ID', 'Id of a rollout, or a prefix of it'))],
} as const
export const rollout = buildRouteMap({
  docs: { brief: 'Show or abort one rollout' },
  routes: {
    show: command({
      brief: 'Show a rollout; follow it until it ends',
      example: 'tandem rollout show 4kf2m8xd',
      parameters: { flags: { at, noFollow: on('Show the present state and exit') }, positional: oneRollout },
      load: async () => (await import('../commands/rollouts.ts')).showRollout,
    }),
    abort: command({
      dryRun: true,
      brief: 'Abort a rollout: return every machine to the previous release without losing requests',
      example: 'tandem rollout abort 4kf2m8xd',
      parameters: { positional: oneRollout },
      load: async () => (await import('../commands/rollouts.ts')).abortRollout,
    }),
  },
})

export const releases = command({
  brief: 'Show the published releases of a service, and which machines run them',
  example: 'tandem releases shop\ntandem releases shop --definition 4f1c09',
  parameters: {
    flags: {
      definition: {
        ...{ kind: 'parsed', parse: parseRelease, placeholder: 'ID', optional: true },
        brief: 'Show the definition of this release, and which of its keys equal a default',
      },
    },
    positional: oneService,
  },
  load: async () => (await import('../commands/releases.ts')).releases,
})

export const logs = command({
  brief: 'Show the output of running and ended instances',
  example: 'tandem logs shop -f\ntandem logs shop --since 10m --machine a',
  parameters: {
    flags: {
      follow: on('Print new output as it arrives'),
      since: {
        ...{ kind: 'parsed', parse: String, placeholder: 'WHEN', optional: true },
        brief: 'Start at this time: a duration ago (10m, 2h) or a date (2026-11-21T02:00:00Z)',
      },
      last: {
        kind: 'parsed',
        parse: parsePosition,
        placeholder: 'N',
        brief: 'Show only the last N lines',
        optional: true,
      },
      machine: known('machines', text('M', 'Show only this machine')),
      instance: known('instances', text('I', 'Show only this instance (its id or a prefix of it)')),
    },
    aliases: { f: 'follow', n: 'last' },
    positional: oneService,
  },
  load: async () => (await import('../commands/logs.ts')).logs,
})

export const events = command({
  brief: 'Show the event log',
  example:
    'tandem events -f\ntandem events --service shop --last 20\ntandem events --from 120\ntandem events --after 120 --json',
  parameters: {
    flags: {
      follow: on('Print new events as they happen'),
      last: {
        ...{ kind: 'parsed', parse: parsePosition, placeholder: 'N', optional: true },
        brief: 'Show only the last N events that match',
      },
      service: known('services', text('S', 'Show only events of this service')),
      machine: known('machines', text('M', 'Show only events on this machine')),
      rollout: known('rollouts', text('ID', 'Show only events of this rollout')),
      type: text('TYPE', 'Show only events of this type; several with commas between them'),
      by: text('NAME', 'Show only events that a call with the token or machine of this name led to'),
      changes: on('Show only events that changed something for users or for people on call'),
      people: on('Show only events that a call with a token led to'),
      failures: on('Show only events of failures: something failed, was lost, or went back'),
      from: {
        ...{ kind: 'parsed', parse: parsePosition, placeholder: 'POSITION', optional: true },
        brief: 'Show the event at this position and everything that followed from it',
      },
      after: {
        ...{ kind: 'parsed', parse: parsePosition, placeholder: 'POSITION', default: '0' },
        brief: 'Show only events after this position',
      },
    },
    aliases: { f: 'follow', n: 'last' },
  },
  load: async () => (await import('../commands/events.ts')).events,
})

export const doctor = command({
  brief: 'Check this machine or the whole cluster, and report each problem and how to fix it',
  about:
    'On a machine that has joined a cluster, checks that machine, even if its agent or the controller is down. ' +
    'Elsewhere, or with --cluster, asks the controller to check all machines. Exits with 1 if it finds a problem.',
  example: 'tandem doctor\ntandem doctor --cluster --json\ntandem doctor --machine a\ntandem doctor --kept',
  parameters: {
    flags: {
      cluster: on('Check the whole cluster, also on one of its machines'),
      machine: known('machines', text('M', 'Check only this machine, through the controller')),
      kept: on('Show the newest checks that the controller made by itself, and check nothing'),
      data: text('DIR', "Check this computer; DIR is the agent's data folder"),
      secrets: { ...needed('DIR', 'Folder of the SERVICE.env files on this machine'), default: secretsFolder },
    },
  },
  load: async () => (await import('../commands/doctor.ts')).doctor,
})
