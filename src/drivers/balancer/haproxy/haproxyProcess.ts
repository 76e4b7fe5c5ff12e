/** How HAProxy runs on this machine. Reloading is not here: that goes over the master's socket, however it was started. */
export interface HaproxyProcess {
  /** The program, for checking configurations. */
  readonly program: string
  /** Starts it with that configuration unless it runs; rejects with what it said when it does not come up. */
  ensureStarted(configPath: string): Promise<void>
  isRunning(): Promise<boolean>
  /** What it said last, for error messages. */
  lastWords(): Promise<string>
  /** Called with the driver's `close`: a child ends, a unit goes on. */
  end(): Promise<void>
}
