import { buildRouteMap, type RouteMap } from '@stricli/core'
import type { CliContext } from './command.ts'
import { context } from './routes/contextRoutes.ts'
import { demo, init, up, validate } from './routes/laptopRoutes.ts'
import { doctor, events, logs, releases, rollout, rollouts, status } from './routes/lookingRoutes.ts'
import { cluster, machine, machines, maintenance, upgrade } from './routes/machineRoutes.ts'
import { agent, controller } from './routes/programRoutes.ts'
import { deploy, push, remove, restart, rollback, runOnce, start, stop } from './routes/rollingRoutes.ts'

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
    ...{ status, rollouts, rollout, releases, logs, events, machines, machine, maintenance, doctor, run: runOnce },
    ...{ cluster, upgrade, context, controller, agent },
  },
})
