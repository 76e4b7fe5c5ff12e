import { z } from 'zod'
import { name, reason, releaseId } from './basics.ts'
import type { Slice } from './slice.ts'

export const preparing = {
  desire: {
    /** One-off `prepare` commands that this machine must run, each once. */
    prepare: z.array(z.object({ rollout: name, service: name, release: releaseId })),
  },
  report: {
    prepared: z.array(z.object({ rollout: name, ok: z.boolean(), reason })),
  },
} satisfies Slice
