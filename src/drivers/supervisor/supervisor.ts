import type { Readable, Writable } from 'node:stream'
import type { DataFolders } from './dataFolders.ts'
import type { Jail, Limits, StopSignal } from '../../definitions/definition.ts'

/** The values of the secrets that a program gets. */
export interface SecretValues {
  /** By name. */
  files: Record<string, Uint8Array>
  env: Record<string, string>
}

/** One copy of a program to run. Everything is resolved, except secrets where a helper keeps them: argv and environment hold no `${NAME}` any more. */
export interface InstanceSpec {
  id: string
  service: string
  release: string
  argv: string[]
  /** The whole environment. The supervisor adds nothing from the environment of the agent. */
  env: Record<string, string>
  cwd: string
  limits: Limits
  stop: { signal: StopSignal; withinMs: number }
  /**
   * A program that ends on its own, such as `prepare`. It is never restarted, not even by a reboot, and it ends with
   * the agent.
   */
  once?: boolean
  /**
   * Whether the caller owns the standard streams (`Started.streams`), byte for byte; the supervisor keeps no output.
   * Only with `once`.
   */
  attached?: boolean
  /**
   * The program notifies its supervisor (sd_notify) within this time when it has started and, if a watchdog time is
   * set, at least that often while it lives.
   */
  notify?: { withinMs: number; watchdogMs: number | null }
  /**
   * `argv` runs once for each line that the program reads, which it prints again after the output with the exit status.
   * Only with `attached`.
   */
  isRepeated?: boolean
  /** The order of the controller by which a privileged helper makes the rest of this itself. */
  ordered?: OrderedProgram
  /** A privileged helper has made it from an order of the controller. Only a helper sets this. */
  isSigned?: boolean
  /** Folders that it sees although they are hidden from services, absolute. Only a helper sets this. */
  sees?: readonly string[]
  /** It has no data folder, not even that of its service. Only a helper sets this. */
  isWithoutData?: boolean
  /** It calls other services through the machine's balancer, which a machine therefore starts first. */
  callsServices?: boolean
  /** Permissions beyond the default jail; used only where the driver jails. */
  jail?: Jail
  /** Its secrets. Left out: it has none. `values`: where no privileged helper has them. */
  secrets?: { generation: string; values?: SecretValues }
  /**
   * Its files. Left out: it has none. `contents`: by their path below the folder that `filesFolder` names, where no
   * privileged helper has them.
   */
  files?: { generation: string; contents?: Record<string, Uint8Array> }
  /**
   * It runs beside an instance of its service, in a copy of that jail and environment, and shares its /tmp; `limits` of
   * the instance count for it on its own. Only with `once` and `attached`.
   */
  beside?: Beside
}

/** How a program is asked for at the privileged helper, which takes nothing but the port from the agent. */
export interface OrderedProgram {
  /** As it arrived from the controller. */
  order: CarriedContent
  use: 'instance' | 'prepare' | 'health' | 'command' | 'beside'
  port: number | null
}

/** Content that the controller signed, which the agent carries unchanged. */
export interface CarriedContent {
  /** One line of JSON (identity/order.ts). */
  order: string
  content: string
}

export interface Beside {
  /** Id of the instance. */
  instance: string
  /** Added to the environment that the instance was started with; `InstanceSpec.env` stands in where none is known. */
  env: Record<string, string>
}

export interface TerminalSize {
  rows: number
  columns: number
}

/** The standard streams of an attached program. The program blocks while its caller does not read them. */
export interface ProgramStreams {
  stdin: Writable
  /**
   * Both streams end when no process holds them open any more. They contain everything that the program wrote before
   * its exit.
   */
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
  /** True if `stop` ended the instance. */
  asked: boolean
  reason: ExitReason
  /**
   * The driver itself restarts the instance and then reports that with `onRestart`. No other part of Tandem may restart
   * it.
   */
  again?: boolean
}

/** How the main process of an instance ended. Processes that it started may still run. */
export type MainEnd = Pick<ExitStatus, 'id' | 'pid' | 'code' | 'signal' | 'reason'>

/** The driver restarted an instance that had ended, or a person restarted it. */
export interface Restarted {
  id: string
  pid: number
}

/**
 * `oom`: the kernel killed the instance at its memory limit. `stopped`: `stop` ended the instance, whatever its exit
 * status.
 */
export type ExitReason = 'exit' | 'signal' | 'oom' | 'stopped'

/** A process that listens on a port, for the message that names the process in the way. */
export interface SocketOwner {
  pid: number
  /** Its command line, shortened; empty when the agent may not read it. */
  command: string
}

export interface LogLine {
  /** Time at which the agent read the line, in ISO 8601 with milliseconds. */
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
  /** Only the last lines already written, this many. */
  last?: number
  follow?: boolean
  signal?: AbortSignal
}

/** An instance that was started before this agent. */
export interface Claimed {
  /**
   * `null`: the instance does not run now, because a person has stopped it or because its driver is about to restart
   * it. `onRestart` reports when it runs again.
   */
  pid: number | null
  /** The PORT it was started with. */
  port: number | null
  /** When its main process began, in milliseconds since 1970; `null` when no main process runs. */
  startedAt: number | null
  /** How often the driver has restarted the instance. */
  restarts: number
}

/** Runs instances on one machine. Implementations: `process`, `systemd`, and a programmable fake. */
export interface SupervisorDriver {
  readonly name: string
  /** The limits that this machine can really enforce. `status` and the log report a `false`; it never throws. */
  readonly abilities: {
    memory: boolean
    cpu: boolean
    tasks: boolean
    /** Instances outlive the agent and are adopted by the next one. */
    outlivesAgent: boolean
    /** The reason why a limit is not enforced, as text; `null` when all limits are enforced. */
    why: string | null
  }
  /**
   * Called once, before any other method. Ends the processes that a killed agent left, or adopts them
   * (`outlivesAgent`). `left` lists processes that could not be stopped, and why; the driver tries again.
   */
  recover(): Promise<{ adopted: string[]; ended: string[]; left?: string[] }>
  /**
   * Starts an instance. Resolves with the pid once the program executes. Rejects when the program cannot be executed,
   * and when an instance with the same id runs.
   */
  start(spec: InstanceSpec): Promise<Started>
  /** Takes over an adopted instance unchanged, once. Returns `null` if there is no such instance. */
  claim?(id: string): Claimed | null
  /**
   * Sends the stop signal to the main process; when that has ended, SIGTERM to the processes that are left; SIGKILL to
   * all when the grace since the first signal has ended. Resolves when no process of the instance is left. An id that
   * is not running is no error.
   */
  stop(id: string): Promise<void>
  /**
   * Whether the main process of the instance is alive and owns (or a process it started owns) the listening socket on
   * `port`.
   */
  ownsSocket(id: string, port: number): Promise<boolean>
  /**
   * The process that listens on `port`, managed by Tandem or not; `null` when no process does or when the agent cannot
   * see it. Slower than `ownsSocket`: use it for messages only.
   */
  whoOwns(port: number): Promise<SocketOwner | null>
  /** Why this machine cannot hold the jail, in words that follow "machine a"; `null`: it can. Left out: the driver does not jail. */
  cannotJail?(jail: Jail): string | null
  isAlive(id: string): boolean
  /** Sets the size of the terminal of an instance. An instance without a terminal is no error. */
  resize(id: string, size: TerminalSize): Promise<void>
  /** Problems that keep the driver from seeing or doing its work, as text. Empty if there are none. */
  problems?(): string[]
  /**
   * The listener is called at once when a main process ends without a `stop`. The processes it left have the grace to
   * end; `onExit` follows. Between the two calls the instance is not alive.
   */
  onMainEnd(listener: (end: MainEnd) => void): void
  /**
   * The listener is called once for each started instance, when no process of it is left and `logs` can read all of its
   * output.
   */
  onExit(listener: (exit: ExitStatus) => void): void
  /** The listener is called after each exit with `again`, when the instance runs again. */
  onRestart?(listener: (restarted: Restarted) => void): void
  /** The listener is called in the place of that if the driver cannot restart the instance. Nothing of it is left. */
  onGiveUp?(listener: (id: string) => void): void
  /** Where TANDEM_DATA of a service must be, if the driver creates that folder itself. The path may be a link. */
  dataFolder?(service: string): string
  /** Where a program with this id finds its files; left out: the driver cannot give it any. */
  filesFolder?(id: string): string
  /** Removes the data folders of services. */
  readonly dataFolders?: DataFolders
  /**
   * Output of instances, also of instances that are gone, in order of time. Its size on disk is limited; `tandem` lines
   * report how many lines were dropped. With `follow` it continues with later lines and later instances until `signal`
   * aborts; a reader that follows one `instance` also ends when that instance has ended and the reader has received
   * every line of it.
   */
  logs(query: LogQuery): AsyncIterable<LogLine>
  /** Removes the kept output of instances of a service that are gone. */
  forget(service: string): Promise<void>
  /** Kills all instances that do not outlive the agent. Does not wait: the agent's process ends right after. */
  abandon?(): void
  /** Stops all instances that do not outlive the agent, in parallel, then releases files and timers. */
  close(): Promise<void>
}
