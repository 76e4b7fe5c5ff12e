/** A service's definition after parsing: every default filled in, durations in milliseconds, sizes in bytes. */
export interface Definition {
  service: string
  /** The instance's argv, with `${NAME}` not yet replaced. */
  run: string[]
  build: { command: string | null; output: string | null; test: string | null }
  /** Runs once per rollout with the new release, before any instance starts. */
  prepare: string[] | null
  listen: Listen
  health: Health
  /** `null`: no routes were written; http services then take the default route (any host, path `/`). */
  routes: Route[] | null
  /** `null`: every machine. */
  machines: string[] | null
  /** Instances on each machine. */
  instances: number
  rollout: { strategy: 'overlap' | 'replace'; drainMs: number }
  stop: { signal: StopSignal; withinMs: number }
  env: Record<string, string>
  limits: Limits
  /** An idle TCP connection, WebSocket or stream is cut after this time; `null`: never. */
  idleMs: number | null
  /** Permissions of an instance beyond the default jail; absent: none. */
  jail?: Jail
  /** The instance itself reports that it has started and, unless `null`, that it is alive: sd_notify(3). */
  notify?: { watchdogMs: number | null }
  /** Overlays by cluster name; see `forCluster`. */
  environments: Record<string, Overlay>
}

export type Listen = 'http' | 'tcp' | 'none'

/** Who may reach a route: `public`, everybody; `local`, programs on the cluster's machines. */
export type Exposure = 'public' | 'local'

export interface Health {
  path: string
  /**
   * The `Host` that probes send; `null`: the host of the first route that names one. Absent: no route names a host, or
   * the release is older than this key; then probes send the address and port that they connect to.
   */
  host?: string | null
  everyMs: number
  timeoutMs: number
  withinMs: number
  /** Only for `listen: none`: an instance counts as ready when it has been up for this long. */
  settleMs: number
}

export type Route = HttpRoute | PortRoute
/** At the entry, so public. */
export interface HttpRoute {
  /** Lowercase host name; `null`: any host. */
  host: string | null
  /** Starts with `/`; matches on segment boundaries. */
  path: string
}
/** With its own port: every tcp route, and an http route that is `local`. */
export interface PortRoute {
  port: number
  /** Absent: the release is older than this key, which means `public`. */
  expose?: Exposure
  /** The definition does not say `expose`. */
  byDefault?: true
}

export interface Limits {
  memoryBytes: number | null
  cpu: number | null
  tasks: number | null
  /** Largest request body that the balancer passes; `null`: any. */
  bodyBytes: number | null
  /** Open files; absent: enough for a server. */
  files?: number
}

/**
 * Relaxations of the default jail, and two restrictions beyond it (`addresses`, `denyWriteExecute`); see
 * docs/definition.md.
 */
export interface Jail {
  write?: string[]
  capabilities?: string[]
  devices?: string[]
  addressFamilies?: string[]
  /** The only addresses that the instance may talk to, besides loopback, which is always allowed. */
  addresses?: string[]
  systemCalls?: string[]
  namespaces?: boolean
  seeProcesses?: boolean
  user?: string
  denyWriteExecute?: boolean
}

export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL'

export interface Overlay {
  env?: Record<string, string>
  routes?: Route[]
  machines?: string[]
  instances?: number
  limits?: Partial<Limits>
}
