export type MaintenanceKind = 'reboot' | 'patch'

export type MaintenanceStep = 'drain' | 'work' | 'check' | 'return' | 'done'

/** Runs as root on each machine, with `/bin/sh` or the interpreter that its first line names. */
export interface MaintenanceScript {
  /** The file name that the user gave. */
  name: string
  text: string
  /** Milliseconds. */
  withinMs: number
}

export interface MaintenanceEvents {
  MaintenanceStarted: {
    maintenance: string
    kind: MaintenanceKind
    /** In the order of their turns. */
    machines: string[]
    script: MaintenanceScript | null
    /** Each machine is restarted, after its script where there is one. */
    restart: boolean
    allowOutage: boolean
  }
  /**
   * The next step on one of the machines. `expected` (instances that were ready there) and `wasReady` come with
   * `drain`.
   */
  MaintenanceStepped: {
    maintenance: string
    machine: string
    step: MaintenanceStep
    expected?: string[]
    wasReady?: boolean
  }
  /** The maintenance stops until an operator resumes it. */
  MaintenanceStopped: { maintenance: string; machine: string | null; reason: string }
  /** `force`: the maintenance may interrupt services from here on. */
  MaintenanceResumed: { maintenance: string; force?: boolean }
  MaintenanceFinished: { maintenance: string }
}

declare module './event.ts' {
  interface EventData extends MaintenanceEvents {}
}
