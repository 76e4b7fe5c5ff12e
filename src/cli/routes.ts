import { buildRouteMap, type RouteMap } from '@stricli/core'
import type { CliContext } from './command.ts'
import { context } from './routes/contextRoutes.ts'
import { demo, init, up, validate } from './routes/laptopRoutes.ts'
import { doctor, events, logs, releases, rollout, rollouts, status } from './routes/lookingRoutes.ts'
import { cluster, machine, machines, maintenance, upgrade } from './routes/machineRoutes.ts'
import { agent, controller } from './routes/programRoutes.ts'
import { deploy, push, remove, restart, rollback, runOnce, start, stop } from './routes/rollingRoutes.ts'

/** All commands. The module of a command is loaded when the command runs. */
export const routes: RouteMap<CliContext> = buildRouteMap({
  docs: {
    brief: 'Roll out releases on a few plain machines without losing a request',
    fullDescription:
      'Roll out releases on a few plain machines without losing a request.\n\n' +
      'EXAMPLE\n  tandem up                   start a cluster on this computer\n' +
      '  tandem push examples/node   roll out a service on it\n  tandem status               show its state',
  },
  routes: {
    ...{ demo, up, init, validate, push, deploy, rollback, restart, stop, start, remove },
    ...{ status, rollouts, rollout, releases, logs, events, machines, machine, maintenance, doctor, run: runOnce },
    ...{ cluster, upgrade, context, controller, agent },
  },
})
