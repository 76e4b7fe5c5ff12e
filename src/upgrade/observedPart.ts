import type { ProgramReport } from '../protocol/program.ts'

/** Current knowledge about a part. */
export interface ObservedPart {
  part: string
  version: string
  /** `null` if an upgrade cannot change the part's program. */
  program: ProgramReport | null
  /** True if the part has not reported for long. */
  isLost: boolean
  /** True if the part has reported since the controller started. */
  hasReported: boolean
  /** Grows with each start of the part's process. */
  boot: number
  /** Log position up to which the part has applied everything. */
  applied: number
  instances: { id: string; isReady: boolean }[]
}

/** Everything that decides an upgrade besides its own state; machines by name, then the controller. */
export interface Surroundings {
  parts: readonly ObservedPart[]
  /** True while another machine operation is in progress. */
  isBusy: boolean
  /** Milliseconds of the controller's clock; `null` while no timeout may be decided. */
  now: number | null
}
