/** One process as the kernel tells it. */
export interface ProcessInfo {
  pid: number
  parent: number
  group: number
  /** 0 where the system does not say (macOS). */
  session: number
  /** When it started, in the system's own words; with the pid and the boot it names a process for ever. */
  started: string
  /** Ended, and only waiting for its parent to notice. */
  zombie: boolean
}

/** What is running on this machine. Implementations: Linux's /proc, and `ps` elsewhere. */
export interface ProcessTable {
  /** Changes with every boot of the machine. */
  bootId(): Promise<string>
  list(): Promise<ProcessInfo[]>
  look(pid: number): Promise<ProcessInfo | null>
  /** The argv joined by blanks; `null` for no such process or not permitted, empty for a zombie. */
  commandLine(pid: number): Promise<string | null>
  /** `NAME=value` of its environment as it was executed; `null` when it cannot be read here. */
  environment(pid: number): Promise<string[] | null>
  /** Whether the first started at or after the second; a table that cannot tell says true. */
  startedSince(started: string, since: string): boolean
}

/** The same process still, and not just its number used again. */
export async function stillRuns(table: ProcessTable, process: { pid: number; started: string }): Promise<boolean> {
  const now = await table.look(process.pid)
  return now !== null && !now.zombie && now.started === process.started
}
