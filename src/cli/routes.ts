import { buildRouteMap, type RouteMap } from '@stricli/core'
import { command, type CliContext } from './command.ts'
import { parseMachineCount, parsePort, parsePortRange, parsePosition, parseSize } from './flagValues.ts'

const word = (placeholder: string, brief: string) => ({ placeholder, brief, parse: String }) as const
const service = word('SERVICE', 'The name of a service')
const optionalService = { ...service, optional: true } as const
const oneService = { kind: 'tuple', parameters: [service] } as const
const maybeService = { kind: 'tuple', parameters: [optionalService] } as const
const on = (brief: string) => ({ kind: 'boolean', brief, default: false, withNegated: false }) as const
const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, placeholder, brief, optional: true }) as const
const needed = (placeholder: string, brief: string) => ({ kind: 'parsed', parse: String, placeholder, brief }) as const
const port = (brief: string, preset: string) =>
  ({ kind: 'parsed', parse: parsePort, placeholder: 'PORT', brief, default: preset }) as const
const size = (brief: string) =>
  ({ kind: 'parsed', parse: parseSize, placeholder: 'SIZE', brief, optional: true }) as const
const allowOutage = on('Let a replace leave no ready instance for a while; requests are held up to 30 s')

const demo = command({
  brief: 'The tour: a pair, a rollout under load, a broken release reverted',
  about: 'Everything it starts ends with it. It takes under a minute and exits 0 only if no request failed.',
  example: 'tandem demo',
  parameters: { flags: { keep: on('Keep its data folder') } },
  load: async () => (await import('./commands/demo.ts')).demo,
})

const init = command({
  brief: 'Write a commented tandem.yaml for what is found in a folder',
  example: 'tandem init\ntandem init services/shop',
  parameters: { positional: { kind: 'tuple', parameters: [{ ...word('DIR', 'The folder'), default: '.' }] } },
  load: async () => (await import('./commands/init.ts')).init,
})

const up = command({
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
  load: async () => (await import('./commands/up.ts')).up,
})

const push = command({
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
  load: async () => (await import('./commands/push.ts')).push,
})

const deploy = command({
  brief: 'Roll a service to a release that is published already',
  example: 'tandem deploy shop --release 3f2a91bc04de',
  parameters: {
    flags: { release: needed('ID', 'The release, or a prefix of its id'), allowOutage },
    positional: oneService,
  },
  load: async () => (await import('./commands/rolling.ts')).deploy,
})

const rollback = command({
  brief: 'Roll a service back to the newest other release that worked',
  about: 'Twice returns to where you were.',
  example: 'tandem rollback shop\ntandem rollback shop --to 3f2a91bc04de',
  parameters: {
    flags: { to: text('ID', 'The release, or a prefix of its id'), allowOutage },
    positional: oneService,
  },
  load: async () => (await import('./commands/rolling.ts')).rollback,
})

const restart = command({
  brief: 'Restart a service as a rollout, without losing requests',
  example: 'tandem restart shop',
  parameters: { flags: { allowOutage }, positional: oneService },
  load: async () => (await import('./commands/rolling.ts')).restart,
})

const start = command({
  brief: 'Start a service that was stopped',
  example: 'tandem start shop',
  parameters: { positional: oneService },
  load: async () => (await import('./commands/rolling.ts')).start,
})

const stop = command({
  brief: 'Stop a service on every machine, after it has finished its work',
  example: 'tandem stop shop',
  parameters: { positional: oneService },
  load: async () => (await import('./commands/rolling.ts')).stop,
})

const remove = command({
  brief: 'Stop a service and forget it; its data folder stays unless told',
  example: 'tandem remove shop\ntandem remove shop --data',
  parameters: { flags: { data: on('Remove its data folder on every machine too') }, positional: oneService },
  load: async () => (await import('./commands/rolling.ts')).remove,
})

const status = command({
  brief: 'Show services, releases, machines, instances, and what is being rolled',
  example: 'tandem status\ntandem status shop --json',
  parameters: { positional: maybeService },
  load: async () => (await import('./commands/status.ts')).status,
})

const rollouts = command({
  brief: 'Show the history of rollouts, newest last',
  example: 'tandem rollouts shop --limit 10',
  parameters: {
    flags: {
      limit: { kind: 'parsed', parse: parsePosition, placeholder: 'N', brief: 'At most so many', default: '20' },
    },
    positional: maybeService,
  },
  load: async () => (await import('./commands/rollouts.ts')).rollouts,
})

const oneRollout = { kind: 'tuple', parameters: [word('ID', 'A rollout, or a prefix of its id')] } as const
const rollout = buildRouteMap({
  docs: { brief: 'Show one rollout, or abort it' },
  routes: {
    show: command({
      brief: 'Show a rollout; while it runs, follow it to its end',
      example: 'tandem rollout show 4kf2m8xd',
      parameters: { flags: { noFollow: on('Show how it stands now') }, positional: oneRollout },
      load: async () => (await import('./commands/rollouts.ts')).showRollout,
    }),
    abort: command({
      brief: 'Go back to the release before, with the same care',
      example: 'tandem rollout abort 4kf2m8xd',
      parameters: { positional: oneRollout },
      load: async () => (await import('./commands/rollouts.ts')).abortRollout,
    }),
  },
})

const releases = command({
  brief: 'Show what is published of a service, and what runs where',
  example: 'tandem releases shop',
  parameters: { positional: oneService },
  load: async () => (await import('./commands/releases.ts')).releases,
})

const logs = command({
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
      machine: text('M', 'Only of this machine'),
      instance: text('I', 'Only of this instance, or a prefix of its id'),
    },
    aliases: { f: 'follow', n: 'last' },
    positional: oneService,
  },
  load: async () => (await import('./commands/logs.ts')).logs,
})

const events = command({
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
  load: async () => (await import('./commands/events.ts')).events,
})

const machines = command({
  brief: 'Show the machines',
  example: 'tandem machines',
  parameters: {},
  load: async () => (await import('./commands/machines.ts')).machines,
})

const oneMachine = { kind: 'tuple', parameters: [word('MACHINE', 'The name of a machine')] } as const
const machine = buildRouteMap({
  docs: { brief: 'Take a machine out of traffic and put it back' },
  routes: {
    drain: command({
      brief: 'Take a machine out of traffic; waits until its work is done',
      example: 'tandem machine drain a',
      parameters: {
        flags: { force: on('Also when it has the last ready instance of a service') },
        positional: oneMachine,
      },
      load: async () => (await import('./commands/machines.ts')).drainMachine,
    }),
    ready: command({
      brief: 'Put a machine back in traffic',
      example: 'tandem machine ready a',
      parameters: { positional: oneMachine },
      load: async () => (await import('./commands/machines.ts')).readyMachine,
    }),
  },
})

const runOnce = command({
  brief: "Run a one-off command with a service's release, environment and limits",
  about: 'Its output and its exit status become those of this command.',
  example: 'tandem run shop -- ./bin/console --eval "1 + 1"',
  parameters: {
    flags: { machine: text('M', 'On this machine (default: the first that is reachable)') },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: word('SERVICE -- ARGV', 'The service, then the command and its arguments'),
    },
  },
  load: async () => (await import('./commands/run.ts')).runOnce,
})

const validate = command({
  brief: 'Check definitions, offline: tandem.yaml and cluster.yaml',
  example: 'tandem validate\ntandem validate services/*/tandem.yaml',
  parameters: {
    positional: { kind: 'array', parameter: word('FILE', 'Files, or folders with a tandem.yaml') },
  },
  load: async () => (await import('./commands/validate.ts')).validate,
})

const contextName = { kind: 'tuple', parameters: [word('NAME', 'The name of a context')] } as const
const context = buildRouteMap({
  docs: { brief: 'Manage the clusters this user knows' },
  routes: {
    list: command({
      brief: 'Show the contexts; the current one is marked',
      example: 'tandem context list',
      parameters: {},
      load: async () => (await import('./commands/contexts.ts')).listContexts,
    }),
    use: command({
      brief: 'Make a context the current one',
      example: 'tandem context use production',
      parameters: { positional: contextName },
      load: async () => (await import('./commands/contexts.ts')).useContext,
    }),
    add: command({
      brief: 'Name a cluster: its address and a token for it',
      about: 'The token is taken from --token-file, else from TANDEM_TOKEN. The first context becomes the current one.',
      example: 'tandem context add production --url http://10.0.0.10:7480 --token-file token.txt',
      parameters: {
        flags: {
          url: needed('URL', "The controller's address"),
          tokenFile: text('FILE', 'A file that holds the token; - reads standard input'),
        },
        positional: contextName,
      },
      load: async () => (await import('./commands/contexts.ts')).addContext,
    }),
    remove: command({
      brief: 'Forget a context; the cluster itself is not touched',
      example: 'tandem context remove old',
      parameters: { positional: contextName },
      load: async () => (await import('./commands/contexts.ts')).removeContext,
    }),
  },
})

const token = buildRouteMap({
  docs: { brief: 'Manage who may call the controller' },
  routes: {
    create: command({
      brief: 'Make a token; it is shown once',
      example:
        'tandem controller token create --role operator --name ci\n' +
        'tandem controller token create --role agent --machine a --name a',
      parameters: {
        flags: {
          role: { kind: 'enum', values: ['operator', 'reader', 'agent'], brief: 'What it may do' },
          name: needed('NAME', 'Whose it is'),
          machine: text('M', "For an agent's: the machine it speaks for"),
        },
      },
      load: async () => (await import('./commands/controller.ts')).createToken,
    }),
    list: command({
      brief: 'Show the tokens there are, without their secrets',
      example: 'tandem controller token list',
      parameters: {},
      load: async () => (await import('./commands/controller.ts')).listTokens,
    }),
    revoke: command({
      brief: 'Make a token worthless',
      example: 'tandem controller token revoke 1f0c22ab94de',
      parameters: { positional: { kind: 'tuple', parameters: [word('ID', 'A token, or a prefix of its id')] } },
      load: async () => (await import('./commands/controller.ts')).revokeToken,
    }),
  },
})

const controller = buildRouteMap({
  docs: { brief: 'Run a controller by hand; its tokens; recovery' },
  routes: {
    run: command({
      brief: 'Run a controller, in the foreground',
      example: 'tandem controller run --cluster production --data /var/lib/tandem --host 10.0.0.10',
      parameters: {
        flags: {
          cluster: { ...needed('NAME', 'The name of the cluster'), default: 'local' },
          laptop: on('All machines are on this host: each service also answers on SERVICE.localhost'),
          data: needed('DIR', 'Where the event log and the releases are kept'),
          host: { ...needed('ADDRESS', 'The address to listen on'), default: '127.0.0.1' },
          port: port('The port to listen on', '7480'),
          storeCap: size('The most that releases may take, such as 20G'),
          admitFile: text('FILE', 'JSON (mode 0600): tokens made elsewhere that are to be known'),
        },
      },
      load: async () => (await import('./commands/programs.ts')).runController,
    }),
    token,
    recover: command({
      brief: 'Go on after the event log was lost or restored: adopt what machines run',
      about: 'Takes a term above every one that machines have seen. No service is changed.',
      example: 'tandem controller recover',
      parameters: {},
      load: async () => (await import('./commands/controller.ts')).recover,
    }),
  },
})

const agent = buildRouteMap({
  docs: { brief: 'Run an agent by hand' },
  routes: {
    run: command({
      brief: "Run a machine's agent, in the foreground",
      example:
        'tandem agent run --machine a --controller http://10.0.0.10:7480 --token-file /etc/tandem/token ' +
        '--data /var/lib/tandem-agent --host 10.0.0.11 --http-port 80',
      parameters: {
        flags: {
          machine: needed('NAME', 'The name of this machine'),
          controller: needed('URL', "The controller's address"),
          tokenFile: needed('FILE', 'A file that holds its token'),
          data: needed('DIR', 'Where releases, output and what it last ran are kept'),
          host: { ...needed('ADDRESS', 'How others reach this machine'), default: '127.0.0.1' },
          httpPort: port('Where people reach the services', '8001'),
          forwardPort: port('Where other machines forward to; 0: it chooses and remembers', '0'),
          metricsPort: port('/healthz and /metrics; 0: it chooses and remembers', '0'),
          ports: {
            ...{ kind: 'parsed', parse: parsePortRange, placeholder: 'FIRST-LAST', default: '20000-20999' },
            brief: 'For instances: outside the ephemeral range',
          },
          tcpOffset: {
            ...{ kind: 'parsed', parse: parsePosition, placeholder: 'N', default: '0' },
            brief: 'Added to the ports of tcp routes, where machines share an address',
          },
          secrets: { ...needed('DIR', 'Holds SERVICE.env files'), default: '/etc/tandem/env' },
          cacheCap: size('The most that releases may take here, such as 20G'),
        },
      },
      load: async () => (await import('./commands/programs.ts')).runAgent,
    }),
  },
})

/** Every command there is. What a command does is loaded when it runs. */
export const routes: RouteMap<CliContext> = buildRouteMap({
  docs: {
    brief: 'Releases rolled with no request lost, on a pair of plain machines',
    fullDescription:
      'Releases rolled with no request lost, on a pair of plain machines.\n\n' +
      'EXAMPLE\n  tandem up                   a cluster on this laptop\n' +
      '  tandem push examples/node   a service on it\n  tandem status               how it is',
  },
  routes: {
    ...{ demo, up, init, validate, push, deploy, rollback, restart, stop, start, remove },
    ...{ status, rollouts, rollout, releases, logs, events, machines, machine, run: runOnce },
    ...{ context, controller, agent },
  },
})
