import type { ProgramReport } from '../protocol/programState.ts'

/** What is known of a part now. */
export interface ObservedPart {
  part: string
  version: string
  /** `null`: its program cannot be changed by an upgrade. */
  program: ProgramReport | null
  /** Nothing was heard of it for long. */
  isLost: boolean
  /** It has said something since the controller started. */
  hasReported: boolean
  /** Grows with each start of its process. */
  boot: number
  /** The log position it has applied everything up to. */
  applied: number
  instances: { id: string; isReady: boolean }[]
}

/** Everything an upgrade is decided on beside its own state; machines by name, then the controller. */
export interface Surroundings {
  parts: readonly ObservedPart[]
  /** Another machine operation goes on. */
  isBusy: boolean
  /** Milliseconds by the controller's clock; `null` where nothing may be decided by time yet. */
  now: number | null
}
