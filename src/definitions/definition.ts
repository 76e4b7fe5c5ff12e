/** A service's definition after parsing: every default filled in, durations in milliseconds, sizes in bytes. */
export interface Definition {
  service: string
  /** The instance's argv, `${NAME}` not yet replaced. */
  run: string[]
  build: { command: string | null; output: string | null; test: string | null }
  /** Run once per rollout with the new release before any instance starts. */
  prepare: string[] | null
  listen: Listen
  health: Health
  /** `null`: none were written; http services then take the default route (any host, path `/`). */
  routes: Route[] | null
  /** `null`: every machine. */
  machines: string[] | null
  /** Instances on each machine. */
  instances: number
  rollout: { strategy: 'overlap' | 'replace'; drainMs: number }
  stop: { signal: StopSignal; withinMs: number }
  env: Record<string, string>
  limits: Limits
  /** An idle TCP connection, WebSocket or stream is cut after this long; `null`: never. */
  idleMs: number | null
  /** What an instance may do beyond the default jail; absent: nothing. */
  jail?: Jail
  /** It tells itself when it has started and, unless `null`, that it lives: sd_notify(3). */
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
   * What probes name as `Host`; `null`: the host of the first route that names one. Absent: no route does, or published
   * before there was this key; then the address and port that is asked.
   */
  host?: string | null
  everyMs: number
  timeoutMs: number
  withinMs: number
  /** Only for `listen: none`: up for this long counts as ready. */
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
/** With a port of its own: every tcp route, and an http route that is `local`. */
export interface PortRoute {
  port: number
  /** Absent: published before there was this key, which means `public`. */
  expose?: Exposure
  /** Nobody wrote `expose`. */
  byDefault?: true
}

export interface Limits {
  memoryBytes: number | null
  cpu: number | null
  tasks: number | null
  /** Largest request body the balancer lets through; `null`: any. */
  bodyBytes: number | null
  /** Open files; absent: enough for a server. */
  files?: number
}

/** Relaxations of the default jail, and two restrictions beyond it (`addresses`, `denyWriteExecute`); see docs/definition.md. */
export interface Jail {
  write?: string[]
  capabilities?: string[]
  devices?: string[]
  addressFamilies?: string[]
  /** The only ones that it may talk to, beside loopback, which it always may. */
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
