import type { definitionShape, StoredOverlay } from './definitionShape.ts'

type Stored = ReturnType<typeof definitionShape.store>

/**
 * A service's definition after parsing, as releases store it: every default filled in, durations in milliseconds (`…Ms`),
 * sizes in bytes (`…Bytes`). `null`: not written. definitionShape.ts describes each key.
 */
export type Definition = Omit<Stored, 'health' | 'routes' | 'environments'> & {
  health: Health
  /** `null`: no routes were written; http services then have the default route (any host, path `/`). */
  routes: Route[] | null
  /** Overlays by cluster name; see `forCluster`. */
  environments: Record<string, Overlay>
}

export type Listen = Definition['listen']

/** Who may reach a route: `public`, everybody; `local`, programs on the cluster's machines. */
export type Exposure = 'public' | 'local'

export type Health = Omit<Stored['health'], 'host'> & {
  /**
   * The `Host` field of probes; `null`: the host of the first route that names one. Absent: no route names a host, or the
   * release was published before this key existed; then the probed address and port.
   */
  host?: string | null
}

export type Route = HttpRoute | PortRoute
/** At the entry, so public. */
export interface HttpRoute {
  /** Lowercase host name; `null`: any host. */
  host: string | null
  /** Starts with `/`; matches on segment boundaries. */
  path: string
}
/** With a port of its own: every tcp route, and an http route that is `local`. */
export interface PortRoute {
  port: number
  /** Absent: published before this key existed, which means `public`. */
  expose?: Exposure
  /** Set when the definition does not write `expose`. */
  byDefault?: true
}

export type Limits = Stored['limits']
export type Jail = NonNullable<Stored['jail']>
export type StopSignal = Definition['stop']['signal']
export type Overlay = Omit<StoredOverlay, 'routes'> & { routes?: Route[] }
