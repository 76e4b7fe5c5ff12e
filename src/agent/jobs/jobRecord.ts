import { z } from 'zod'

const endingSchema = z.object({
  /**
   * `cancelled`: somebody stopped it. `late`: its deadline passed. `interrupted`: its agent or its machine ended while
   * it ran. `notStarted`: nothing of it ran. `unknown`: nobody could find out.
   */
  how: z.enum(['succeeded', 'failed', 'cancelled', 'late', 'interrupted', 'notStarted', 'unknown']),
  /** Exit status and signal of the main process, where a process ended and both are known. */
  code: z.number().nullable(),
  signal: z.string().nullable(),
  /** In words, for people; empty for a job that succeeded. */
  why: z.string(),
  /** The last bytes of output, for kinds that keep them. */
  tail: z.string().optional(),
})

const base = {
  kind: z.string(),
  /** Unique among the jobs of its kind. */
  id: z.string(),
  about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** ISO 8601 by the machine's clock, for display. */
  acceptedAt: z.string(),
}
/** Identifies the start of the machine (boot) in which the job started; empty where the agent cannot know. */
const mark = z.string()

export const jobRecordSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted'), ...base }),
  z.object({ state: z.literal('started'), ...base, startedAt: z.string(), mark }),
  z.object({
    state: z.literal('ended'),
    ...base,
    /** `null`: it never started. */
    startedAt: z.string().nullable(),
    mark,
    endedAt: z.string(),
    ending: endingSchema,
  }),
])

export type JobRecord = z.infer<typeof jobRecordSchema>
export type EndedRecord = Extract<JobRecord, { state: 'ended' }>
export type JobEnding = z.infer<typeof endingSchema>

export const ending = (how: JobEnding['how'], why: string): JobEnding => ({ how, code: null, signal: null, why })

export const isSuccess = ({ how }: JobEnding): boolean => how === 'succeeded'
