import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import type { PlanPart } from '../planPart.ts'
import { on, word } from '../routes/parameters.ts'

const oneFile = { kind: 'tuple', parameters: [word('FILE', 'A cluster.yaml file')] } as const

/** `parts`: loads the features' parts of the plan. */
export const cluster = (parts: () => Promise<PlanPart[]>) =>
  buildRouteMap({
    docs: { brief: 'Set the machines of the cluster and where it takes requests' },
    routes: {
      plan: command({
        brief: 'Show the changes that applying a cluster file would make',
        example: 'tandem cluster plan cluster.yaml',
        parameters: { positional: oneFile },
        load: async () => (await import('./commands.ts')).planCluster(await parts()),
      }),
      apply: command({
        dryRun: true,
        brief: 'Apply a cluster file; machines that it no longer names are removed',
        example: 'tandem cluster apply cluster.yaml',
        parameters: {
          flags: { force: on('Proceed even if a removed machine has the last ready instance of a service') },
          positional: oneFile,
        },
        load: async () => (await import('./commands.ts')).applyCluster,
      }),
    },
  })
