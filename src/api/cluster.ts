import { z } from 'zod'
import { clusterSchema } from '../definitions/clusterSchema.ts'
import { atLeast, position, type Operation } from './operation.ts'

export const clusterOperations = {
  cluster: {
    ...{ method: 'GET', path: '/cluster', role: 'reader', summary: 'the cluster file that was applied last' },
    query: z.object({ atLeast }),
    response: z.object({ cluster: clusterSchema.nullable() }),
  },
  applyCluster: {
    dryRun: true,
    ...{ method: 'POST', path: '/cluster', role: 'operator', summary: 'apply a cluster file' },
    body: z.object({ cluster: clusterSchema, force: z.boolean().default(false) }),
    response: z.object({ position }),
  },
} as const satisfies Record<string, Operation>
