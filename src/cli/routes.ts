import { buildRouteMap, type RouteMap } from '@stricli/core'
import type { CliContext } from './command.ts'
import { featureCommands } from './features.ts'
import type { CommandTable, Group } from './help/commandTree.ts'
import { open } from './open/routes.ts'
import { context } from './routes/contextRoutes.ts'
import { completion, help } from './routes/helpRoutes.ts'
import { demo, init, up, validate } from './routes/laptopRoutes.ts'
import { doctor, events, logs, releases, rollout, rollouts, status } from './routes/lookingRoutes.ts'
import { machine, machines } from './routes/machineRoutes.ts'
import { agent, controller } from './routes/programRoutes.ts'
import { deploy, push, remove, restart, rollback, runOnce, start, stop } from './routes/rollingRoutes.ts'

/** The groups of `tandem --help`; each has a page, `tandem help GROUP`. Every command is in exactly one. */
const grouped = {
  services: {
    brief: 'Publish services and control them',
    routes: {
      init,
      validate,
      push,
      deploy,
      rollback,
      restart,
      stop,
      start,
      remove,
      run: runOnce,
      ...featureCommands.services,
    },
  },
  rollouts: { brief: 'Follow rollouts, abort them, list releases', routes: { rollouts, rollout, releases } },
  machines: {
    brief: 'Add, drain, restart, patch and remove machines',
    routes: { machines, machine, ...featureCommands.machines, agent },
  },
  cluster: {
    brief: 'Start a cluster, change it, upgrade it, choose which one to use',
    routes: { demo, up, ...featureCommands.cluster, context, controller },
  },
  looking: {
    brief: 'See what runs, and why it does not',
    routes: { status, open, logs, events, ...featureCommands.looking, doctor, help, completion },
  },
} as const

const groups: Group[] = Object.entries(grouped).map(([name, { brief, routes }]) => {
  return { name, brief, commands: Object.keys(routes) }
})

/** The module that implements a command is loaded when the command runs. */
const root: RouteMap<CliContext> = buildRouteMap({
  docs: { brief: 'Roll out releases without losing a request, on a pair of plain machines' },
  routes: {
    ...grouped.services.routes,
    ...grouped.rollouts.routes,
    ...grouped.machines.routes,
    ...grouped.cluster.routes,
    ...grouped.looking.routes,
  },
})

export const commands: CommandTable = { root, groups }
