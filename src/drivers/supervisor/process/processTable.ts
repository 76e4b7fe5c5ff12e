/** One process as the kernel reports it. */
export interface ProcessInfo {
  pid: number
  parent: number
  group: number
  /** 0 where the system does not report it (macOS). */
  session: number
  /**
   * Start time, in the format of the system. Together with the pid and the boot it identifies a process permanently.
   */
  started: string
  /** The process has ended and only waits for its parent to reap it. */
  zombie: boolean
}

/** The processes of this machine. Implementations: /proc on Linux, and `ps` elsewhere. */
export interface ProcessTable {
  /** Changes with every boot of the machine. */
  bootId(): Promise<string>
  list(): Promise<ProcessInfo[]>
  look(pid: number): Promise<ProcessInfo | null>
  /** The argv joined by blanks; `null` for no such process or not permitted, empty for a zombie. */
  commandLine(pid: number): Promise<string | null>
  /** `NAME=value` of the environment at the time of the exec; `null` if the agent cannot read it here. */
  environment(pid: number): Promise<string[] | null>
  /** Whether the first started at or after the second; true in a table that cannot tell. */
  startedSince(started: string, since: string): boolean
}

/** Whether the process is still the same, and not another process with a reused number. */
export async function stillRuns(table: ProcessTable, process: { pid: number; started: string }): Promise<boolean> {
  const now = await table.look(process.pid)
  return now !== null && !now.zombie && now.started === process.started
}
