/** A script for the machine itself; `id` names this run of it. */
export interface HostScript {
  id: string
  /** The file's name as the person gave it; said in messages. */
  name: string
  text: string
  /** Milliseconds; then it is ended, and has failed. */
  withinMs: number
}

export type ScriptState =
  | { state: 'running' }
  | { state: 'ok' }
  | { state: 'failed'; reason: string }
  | { state: 'unknown' }

/**
 * Works on the machine itself, as root. Implementations: `systemd`; by way of the root part; and a programmable fake. An `order`
 * is what the controller has signed: who is root by itself needs none.
 */
export interface HostDriver {
  /** Changes with each start of the machine, and only then. */
  bootMark(): string
  /** Starts it; it goes on when the agent ends. Resolves once it runs, or has ended already. */
  begin(script: HostScript, order: string | null): Promise<void>
  /** How one that was begun goes; `unknown` for one that was not, or was before the machine started. */
  look(script: HostScript): Promise<ScriptState>
  /** Removes what is left of one that has ended. */
  forget(script: HostScript): Promise<void>
  /** Restarts the machine. Resolves when that was asked for. */
  restart(order: string | null): Promise<void>
}
