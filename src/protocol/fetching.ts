import { z } from 'zod'
import { name, reason, releaseId } from './basics.ts'
import type { Slice } from './slice.ts'

export const fetching = {
  desire: {
    /** Releases to have fetched and verified, whether they run yet or not. */
    fetch: z.array(releaseId),
    /** Releases that garbage collection must keep. */
    keep: z.array(releaseId),
  },
  report: {
    fetched: z.array(name),
    fetchFailures: z.array(z.object({ release: name, message: reason })),
  },
} satisfies Slice
