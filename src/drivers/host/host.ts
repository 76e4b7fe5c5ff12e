/** A script for the machine itself; `id` identifies this run of the script. */
export interface HostScript {
  id: string
  /** The file name as the person gave it; used in messages. */
  name: string
  text: string
  /** Time limit in milliseconds; after that the script is stopped and has failed. */
  withinMs: number
}

export type ScriptState =
  | { state: 'running' }
  | { state: 'ok' }
  | { state: 'failed'; reason: string }
  | { state: 'unknown' }

/**
 * Works on the machine itself, as root. Implementations: `systemd`, the client of the privileged helper, and a
 * programmable fake. An `order` is signed by the controller: a process with root privileges needs none.
 */
export interface HostDriver {
  /** Changes with each start of the machine, and only then. */
  bootMark(): string
  /** Starts a script, which keeps running when the agent ends. Resolves once the script runs, or has already ended. */
  begin(script: HostScript, order: string | null): Promise<void>
  /**
   * State of a script that was begun; `unknown` for a script that was not begun, or that was begun before the machine
   * started.
   */
  look(script: HostScript): Promise<ScriptState>
  /** Removes the rest of a script that has ended. */
  forget(script: HostScript): Promise<void>
  /** Restarts the machine. Resolves when the restart was requested. */
  restart(order: string | null): Promise<void>
}
