import type { Pins } from './rolloutEvents.ts'
import type { Definition, Route } from '../definitions/definition.ts'

/** The instances and routes of a machine when the log was recovered. */
export interface HeldState {
  machine: string
  drained: boolean
  /** By release id, as published; in events from before that, routes with `expose` are in `declaredRoutes`. */
  definitions: Record<string, Definition>
  declaredRoutes?: Record<string, Route[]>
  instances: {
    id: string
    service: string
    release: string
    slot: number
    generation: string
    traffic: 'active' | 'idle'
  }[]
  routes: HeldRoute[]
  localRoutes?: HeldRoute[]
  /** By generation, the things that its instances have besides the release. */
  pins?: Record<string, Pins>
}

interface HeldRoute {
  service: string
  releases: string[]
  match:
    | { kind: 'http'; host: string | null; path: string }
    /** `address`: the service's own loopback address. */
    | { kind: 'tcp'; port: number; address?: string | null }
    | { kind: 'local'; carries: 'http' | 'tcp'; address: string; port: number }
}

export interface LeadershipEvents {
  /** A controller takes leadership. Deadlines and silences count again from here. */
  LeadershipTaken: { term: number; id: string; version: string }
  /**
   * An operator ran the recovery: the log was lost or older than machines have seen; their running instances are
   * adopted unchanged.
   */
  LogRecovered: { term: number; id: string; version: string; held: HeldState[] }
  /** The controller's clock jumped or the controller stalled: deadlines and silences count again from here. */
  ClockRestarted: { reason: string }
}

declare module './event.ts' {
  interface EventData extends LeadershipEvents {}
}
