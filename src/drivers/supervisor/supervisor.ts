import type { Readable, Writable } from 'node:stream'
import type { DataFolders } from './dataFolders.ts'
import type { Jail, Limits, StopSignal } from '../../definitions/definition.ts'

/** One copy of a program to run. Everything is decided: argv and environment have no `${NAME}` left. */
export interface InstanceSpec {
  id: string
  service: string
  release: string
  argv: string[]
  /** The whole environment; nothing of the agent's is added. */
  env: Record<string, string>
  cwd: string
  limits: Limits
  stop: { signal: StopSignal; withinMs: number }
  /** A program that ends by itself, such as `prepare`: never started again, not by a reboot either, and it ends with the agent. */
  once?: boolean
  /** Its standard streams are the caller's (`Started.streams`), byte for byte; nothing of them is kept. Only with `once`. */
  attached?: boolean
  /** It tells its supervisor itself when it has started (sd_notify), within this; and, if so, that it lives, at least so often. */
  notify?: { withinMs: number; watchdogMs: number | null }
  /** What it may do beyond the default jail; only where the driver jails. */
  jail?: Jail
}

/** The standard streams of an attached program. Whoever does not read them holds the program back. */
export interface ProgramStreams {
  stdin: Writable
  /** Both end when nobody holds them open any more; what the program wrote before its exit is still in them then. */
  stdout: Readable
  stderr: Readable
}

export interface Started {
  pid: number
  /** Set for an attached program. */
  streams?: ProgramStreams
}

export interface ExitStatus {
  id: string
  pid: number
  /** Exit code, or `null` when a signal ended it. */
  code: number | null
  signal: string | null
  /** True when `stop` asked for it. */
  asked: boolean
  reason: ExitReason
  /** The driver starts it again by itself, and then says so with `onRestart`: nobody else may. */
  again?: boolean
}

/** How the main process of an instance ended, while something that it started may be left. */
export type MainEnd = Pick<ExitStatus, 'id' | 'pid' | 'code' | 'signal' | 'reason'>

/** The driver started an instance again that had ended, or that a person restarted. */
export interface Restarted {
  id: string
  pid: number
}

/** `oom`: the kernel killed it at its memory limit. `stopped`: `stop` asked for it, whatever its status then was. */
export type ExitReason = 'exit' | 'signal' | 'oom' | 'stopped'

/** A process that listens on a port, for the message that says who is in the way. */
export interface SocketOwner {
  pid: number
  /** Its command line, shortened; empty when it may not be read. */
  command: string
}

export interface LogLine {
  /** ISO 8601 with milliseconds, when the agent read it. */
  at: string
  service: string
  instance: string
  stream: 'out' | 'err' | 'tandem'
  text: string
}

export interface LogQuery {
  service: string
  instance?: string
  /** Only lines at or after this time (ISO 8601). */
  since?: string
  /** Only the last this many of those already written. */
  last?: number
  follow?: boolean
  signal?: AbortSignal
}

/** Runs instances on one machine. Implementations: `process`, later `systemd`; and a programmable fake. */
/** One that ran before this agent did. */
export interface Claimed {
  /** `null`: it does not run now; told by `onRestart` when it does again. A person has stopped it, or it is about to be started again. */
  pid: number | null
  /** The PORT it was started with. */
  port: number | null
  /** When its main process began, milliseconds since 1970; `null` when none runs. */
  startedAt: number | null
  /** How often the driver has started it again. */
  restarts: number
}

export interface SupervisorDriver {
  readonly name: string
  /** What this machine can really enforce; a `false` is said in `status` and in the log, never thrown. */
  readonly abilities: {
    memory: boolean
    cpu: boolean
    tasks: boolean
    /** Instances outlive the agent and are adopted by the next one. */
    outlivesAgent: boolean
    /** Why a limit is not enforced, in words; `null` when all are. */
    why: string | null
  }
  /**
   * Called once, before anything else: ends what a killed agent left, or adopts it (`outlivesAgent`). `left`: what could not
   * be ended, and why; it is tried again.
   */
  recover(): Promise<{ adopted: string[]; ended: string[]; left?: string[] }>
  /**
   * Starts it; resolves with the pid once the program is executing. Rejects when it cannot be executed. Refuses an id that is
   * running.
   */
  start(spec: InstanceSpec): Promise<Started>
  /** Takes over one that was adopted, as it is, once; `null`: there is none. */
  claim?(id: string): Claimed | null
  /**
   * The stop signal to its main process; when that has ended, SIGTERM to what is left; SIGKILL to all when the grace is over since
   * the first signal. Resolves when nothing of it is left. No error for an id that is not running.
   */
  stop(id: string): Promise<void>
  /** The instance's own process is alive, and it (or a process it started) owns the listening socket on `port`. */
  ownsSocket(id: string, port: number): Promise<boolean>
  /** Who listens on `port`, ours or not; `null` when nobody does or it cannot be seen. Slower than `ownsSocket`: for messages. */
  whoOwns(port: number): Promise<SocketOwner | null>
  isAlive(id: string): boolean
  /** What keeps it from seeing or doing its work, in words; none while all is well. */
  problems?(): string[]
  /**
   * Called at once when a main process ends that nobody stopped. What it left has the grace to end; `onExit` follows, and
   * until then it is not alive.
   */
  onMainEnd(listener: (end: MainEnd) => void): void
  /** Called once for each started instance, when nothing of it is left and all of its output can be read with `logs`. */
  onExit(listener: (exit: ExitStatus) => void): void
  /** Called after each exit with `again`, when it runs again. */
  onRestart?(listener: (restarted: Restarted) => void): void
  /** Where TANDEM_DATA of a service must be, if the driver makes that folder itself. It may be a link. */
  dataFolder?(service: string): string
  /** Removes those. */
  readonly dataFolders?: DataFolders
  /**
   * Output of instances, also of those that are gone, in order of time. Bounded on disk; counts of what was dropped
   * appear as `tandem` lines. With `follow` it goes on with later lines and later instances until `signal` aborts;
   * following one `instance` also ends when that has ended and every line of it was given.
   */
  logs(query: LogQuery): AsyncIterable<LogLine>
  /** Removes the kept output of a service's instances that are gone. */
  forget(service: string): Promise<void>
  /** Stops every instance that does not outlive the agent, at the same time, then lets go of files and timers. */
  close(): Promise<void>
}
