import { z } from 'zod'

/*
 * A part is what an upgrade changes: a machine's agent, or the controller. Each has a program: a release of Tandem itself, or, where
 * the release is `null`, what was installed there.
 */

const release = z.string().regex(/^[0-9a-f]{64}$/)

/** What an upgrade asks of one part now. Left out or `null`: go on with what runs. */
export const desiredProgramSchema = z.object({
  /** Names this piece of the upgrade: a part that failed at it does not try it again. */
  key: z.string().min(1).max(200),
  release: release.nullable(),
  version: z.string().max(100),
  /** `false`: only have it here, unpacked and found to run. */
  isDue: z.boolean(),
})

/** What a part says of its own program. `null`: it cannot change it, as where no systemd unit runs it. */
export const programReportSchema = z.object({
  release: release.nullable(),
  /** The key of what is here, unpacked and found to run. */
  prepared: z.string().max(200).nullable(),
  /** A change of program is under way: it counts only when this is over. */
  isTrying: z.boolean(),
  failed: z.object({ key: z.string().max(200), reason: z.string().max(2_000) }).nullable(),
})

export type DesiredProgram = z.infer<typeof desiredProgramSchema>
export type ProgramReport = z.infer<typeof programReportSchema>
