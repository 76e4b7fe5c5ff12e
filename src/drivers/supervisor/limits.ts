/** All limits of a supervisor in one place; tests make some of them small. */
export interface SupervisorLimits {
  /** Longest line of output. A longer line is split, and the split is counted. */
  lineBytes: number
  /** Output of one instance that waits for the disk. Above this limit the instance is held back. */
  pendingBytes: number
  /**
   * Time that a slow disk may hold an instance back, counted until the disk has caught up; after that, lines are
   * dropped and counted. This is less than the timeout of a probe (2 s): a disk that stands still must not take a
   * service out of traffic.
   */
  holdMs: number
  /** Size of a log file. An instance keeps two such files: the current file and the one before it. */
  logFileBytes: number
  /**
   * All kept output of this machine together. The oldest output of instances that are gone is removed first; files that
   * are being written are never removed.
   */
  logTotalBytes: number
  /** Number of instances of one service that are gone but whose output is kept. */
  goneInstances: number
  /** Bytes of lines that wait for one slow reader that follows. Further lines are skipped and counted. */
  followBytes: number
  /** Time from the spawn until the program itself executes. */
  execMs: number
  /** Time after SIGKILL before a process is reported as unkillable. */
  killMs: number
  /** Time after the last process is gone until the supervisor gives up output that another process holds open. */
  drainMs: number
  /** Longest grace for processes that a killed agent left behind. */
  recoverMs: number
  /** `ownsSocket` lists the processes of an instance again when the list is older than this. */
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
