/** Every bound of a supervisor in one place; tests make some of them small. */
export interface SupervisorLimits {
  /** A longer line of output is split, and counted. */
  lineBytes: number
  /** Output of one instance that waits for the disk; above it the instance is held back. */
  pendingBytes: number
  /**
   * A disk that does not keep up may hold an instance back for so long, counted until it has caught up; then lines are
   * dropped, and counted. Below the time a probe has (2 s): a disk that stands still must not take a service out of traffic.
   */
  holdMs: number
  /** An instance keeps two files of this size: the one being written and the one before. */
  logFileBytes: number
  /** All kept output of this machine together; the oldest of gone instances goes first. Never the files being written. */
  logTotalBytes: number
  /** Gone instances of one service whose output is kept. */
  goneInstances: number
  /** Lines that wait for one slow reader that follows; what comes on top is skipped, and counted. */
  followBytes: number
  /** From the spawn until the program itself executes. */
  execMs: number
  /** After SIGKILL, until what is still there is called unkillable. */
  killMs: number
  /** After the last process is gone, until output that somebody else holds open is given up. */
  drainMs: number
  /** The grace, at most, of what a killed agent left behind. */
  recoverMs: number
  /** The processes of an instance are listed again for `ownsSocket` when the list is older than this. */
  membersMs: number
}

const MiB = 1024 * 1024

export const supervisorLimits: SupervisorLimits = {
  lineBytes: 16 * 1024,
  pendingBytes: MiB,
  holdMs: 1_000,
  logFileBytes: 5 * MiB,
  logTotalBytes: 256 * MiB,
  goneInstances: 20,
  followBytes: 4 * MiB,
  execMs: 5_000,
  killMs: 10_000,
  drainMs: 2_000,
  recoverMs: 2_000,
  membersMs: 250,
}
