import { z } from 'zod'
import type { JobRecord } from '../jobs/jobRecord.ts'

/** Names of the kinds of jobs in the records on disk: they must not change. */
export const scriptKind = 'script'
export const restartKind = 'restart'

/** One attempt of a maintenance. */
interface Attempt {
  id: string
  attempt: number
}

/** The id of the jobs of one attempt; the privileged helper knows the script under it. */
export const workKey = ({ id, attempt }: Attempt): string => `${id}-${attempt}`

const aboutSchema = z.object({
  maintenance: z.string(),
  attempt: z.number(),
  /** Of the script; for messages. */
  name: z.string(),
  /** Time limit of the script; absent where an agent from before jobs began it. */
  withinMs: z.number().optional(),
  /** Whether a restart of the machine follows the script. */
  restart: z.boolean(),
})

export type AboutWork = z.infer<typeof aboutSchema>

/** Facts in the record of a script or a restart. */
export const aboutWork = (record: JobRecord): AboutWork | null => aboutSchema.safeParse(record.about).data ?? null
