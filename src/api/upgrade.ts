import { z } from 'zod'
import { atLeast, position, time, type Operation } from './operation.ts'

export const upgradeSchema = z.object({
  id: z.string(),
  version: z.string(),
  release: z.string(),
  state: z.enum(['running', 'reverting', 'completed', 'reverted']),
  reason: z.string().nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
  parts: z.array(
    z.object({
      part: z.string().describe('a machine, or @controller'),
      from: z.string().describe('the version before the upgrade'),
      state: z.enum(['waiting', 'running', 'done', 'failed', 'lost', 'reverted']),
      reason: z.string().nullable(),
    }),
  ),
})
export type UpgradeView = z.infer<typeof upgradeSchema>

export const upgradeOperations = {
  upgrade: {
    ...{
      method: 'GET',
      path: '/upgrade',
      role: 'reader',
      summary: 'the running upgrade of Tandem itself, or the last one',
    },
    query: z.object({ atLeast }),
    response: z.object({ upgrade: upgradeSchema.nullable() }),
  },
  startUpgrade: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/upgrade',
      role: 'operator',
      summary: 'upgrade Tandem itself, part by part, to a published release that contains it',
    },
    body: z.object({
      release: z.string().regex(/^[0-9a-f]{64}$/),
      version: z
        .string()
        .regex(/^\d+\.\d+\.\d+[\w.+-]*$/)
        .max(100),
    }),
    response: z.object({ position, upgrade: upgradeSchema.nullable() }),
  },
} as const satisfies Record<string, Operation>
