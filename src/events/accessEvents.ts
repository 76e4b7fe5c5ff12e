export type AccessKind = 'shell' | 'exec' | 'forward'

export interface AccessEvents {
  /** A person opened a shell or runs a command beside an instance, or forwards a port. */
  AccessStarted: {
    access: string
    kind: AccessKind
    service: string
    /** `null` for a forward to a service, as the machine. */
    instance: string | null
    machine: string | null
    /** As it was typed, shortened; `null`: a shell or a forward. */
    command: string | null
    /** Of a forward. */
    port: number | null
  }
  /** `lost`: the controller ended meanwhile, and nobody knows how it ended. */
  AccessEnded: {
    access: string
    kind: AccessKind
    service: string
    instance: string | null
    machine: string | null
    how: 'exited' | 'left' | 'stopped' | 'failed' | 'lost'
    code: number | null
    signal: string | null
    reason: string
    /** Milliseconds since it started. */
    lastedMs: number
  }
}

declare module './event.ts' {
  interface EventData extends AccessEvents {}
}
