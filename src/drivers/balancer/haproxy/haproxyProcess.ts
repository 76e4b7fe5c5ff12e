/**
 * How HAProxy runs on this machine. Reloading is not part of this interface: a reload goes through the socket of the
 * master, however HAProxy was started.
 */
export interface HaproxyProcess {
  /** The program, used to check configurations. */
  readonly program: string
  /** Starts HAProxy with that configuration unless it runs; rejects with its output if it does not start. */
  ensureStarted(configPath: string): Promise<void>
  isRunning(): Promise<boolean>
  /** It does not start again on its own: each attempt fails. Not where a person has stopped it. */
  isFailing?(): Promise<boolean>
  /** The last output of HAProxy, for error messages. */
  lastWords(): Promise<string>
  /** Called with `close` of the driver: a child ends, a unit keeps running. */
  end(): Promise<void>
}
