import { z } from 'zod'
import type { Slice } from './slice.ts'

/*
 * A part is what an upgrade changes: a machine's agent, or the controller. Each part runs a program: a release of
 * Tandem itself, or, where the release is `null`, the installed version.
 */

const release = z.string().regex(/^[0-9a-f]{64}$/)

/** The request of an upgrade to one part. Left out or `null`: keep the running program. */
const desiredProgramSchema = z.object({
  /** Names this piece of the upgrade: a part that failed at it does not try it again. */
  key: z.string().min(1).max(200),
  release: release.nullable(),
  version: z.string().max(100),
  /** `false`: only have the program ready here, unpacked and tested to run. */
  isDue: z.boolean(),
})

/**
 * A part's report about its own program. `null`: the part cannot change it, for example because no systemd unit runs
 * it.
 */
const programReportSchema = z.object({
  release: release.nullable(),
  /** The key of the program that is ready here, unpacked and tested to run. */
  prepared: z.string().max(200).nullable(),
  /** A change of program is in progress: the new program counts only once this has ended. */
  isTrying: z.boolean(),
  failed: z.object({ key: z.string().max(200), reason: z.string().max(2_000) }).nullable(),
})

export type DesiredProgram = z.infer<typeof desiredProgramSchema>
export type ProgramReport = z.infer<typeof programReportSchema>

export const program = {
  desire: {
    /** The program that an upgrade of Tandem itself wants on this machine now. */
    program: desiredProgramSchema.nullable().default(null),
  },
  report: {
    /** The Tandem program that runs here, and the progress of a change of it. */
    program: programReportSchema.nullable().default(null),
  },
  orders: { program: z.string().nullable().default(null) },
} satisfies Slice
