/** Everything one machine's balancer should do, whole. Later plans replace earlier ones in one step. */
export interface RoutingPlan {
  /** The log position this plan comes from; acknowledged by `apply`. */
  position: number
  machine: string
  routes: PlannedRoute[]
}

export type PlannedRoute = HttpPlannedRoute | TcpPlannedRoute

interface PlannedRouteBase {
  service: string
  /** Local instances. */
  targets: Target[]
  /** Other machines' balancers that may serve it; asked only when no local target can take the work. */
  peers: Peer[]
  /** No target for a short while on purpose (`replace`): hold requests up to this long before a 503. `null`: do not hold. */
  holdMs: number | null
  /** Cut a connection that is idle this long; `null`: never. Counts WebSockets and TCP, and streamed responses. */
  idleMs: number | null
}

export interface HttpPlannedRoute extends PlannedRouteBase {
  kind: 'http'
  /** Lowercase; `null`: any host. */
  host: string | null
  path: string
  bodyBytes: number | null
  /** It answers there, whatever the host and path, and not at the entry; `null`: at the entry. */
  own: OwnPort | null
}

export interface TcpPlannedRoute extends PlannedRouteBase {
  kind: 'tcp'
  own: OwnPort
}

/** Where a route listens that does not answer at the entry. */
export interface OwnPort {
  /** It listens at the addresses that the entry is at. */
  public: boolean
  /** It listens at this loopback address; also a public one does, so that a change of `expose` closes nothing there. */
  loopback: string | null
  /** Already shifted on a laptop. */
  port: number
  /** What the machines call this route among themselves: `5672`, or `redis/6379` where two services may have the same port. */
  name: string
  /** What a machine may call it that has not yet followed a change of `expose`. */
  also: string[]
}

export interface Target {
  instance: string
  port: number
  /** `active` takes new work; `draining` only finishes what it has. */
  state: 'active' | 'draining'
}

export interface Peer {
  machine: string
  host: string
  /** The peer's forwarding port: takes forwarded work only, and never forwards it again. */
  port: number
}

/** Work in flight on one instance, as counted by this machine's balancer: the only one that connects to it. */
export interface InFlight {
  /** HTTP requests being served, TCP connections, WebSockets. 0 means nothing would be lost by stopping it. */
  work: number
  /** Of those, the long ones that live until the drain deadline: WebSockets, TCP connections, event streams. */
  long: number
}

/** Takes requests on one machine. Implementations: `embedded`, later `haproxy`; and a programmable fake. */
export interface BalancerDriver {
  readonly name: string
  /** The entry (`http`) and the forwarding port really listened on. Valid after `listen`. */
  readonly ports: { http: number; forward: number }
  listen(): Promise<void>
  /**
   * Resolves when the plan serves: new work follows it, and nothing new reaches a target it does not name as `active`.
   * Plans take effect in the order given. A TCP port that cannot be listened on is told, and all the rest of the plan
   * serves: one service's trouble must not hold up another's rollout. Rejects only when nothing of the plan could be applied.
   */
  apply(plan: RoutingPlan): Promise<Unserved[]>
  /** Instances here that take new work before any plan was given: it goes on without an agent. Absent: it does not. */
  serving?(): Promise<ReadonlySet<string>>
  inFlight(instance: string): InFlight
  /**
   * Called when an instance that is draining (or is named by no plan any more) has no work left, and when one is ejected
   * or taken back. One without work that begins to drain is `idle` before its `apply` resolves.
   */
  onChange(listener: (change: BalancerChange) => void): void
  /** Closes idle kept-alive connections to an instance that is about to be stopped and cuts none in use. Resolves when none idle is left. */
  release(instance: string): Promise<void>
  /** Cuts what still talks to an instance: called after its stop signal had its chance (`stop.within`). */
  cut(instance: string): void
  /** Only these machines may forward work here from now on; connections of others are cut. Absent: the driver knows no machines. */
  admit?(machines: string[]): Promise<void>
  /** While `true`, every answer to a client ends its connection: a virtual address is about to move. Absent: it is never asked. */
  endKeepAlive?(on: boolean): Promise<void>
  /** What else a person should know, in words: not a service's fault, and not in the way of any. */
  problems?(): string[]
  /** Counters since the start, for `/metrics`: requests by service and status class, retries, refusals by reason, held, open connections. */
  counters(): BalancerCounters
  close(): Promise<void>
}

/** A service whose route could not be opened, and why. */
export interface Unserved {
  service: string
  reason: string
}

export type BalancerChange =
  | { type: 'idle'; instance: string }
  | { type: 'ejected'; instance: string; reason: string }
  | { type: 'restored'; instance: string }

export interface BalancerCounters {
  /** `2xx` and so on; `tcp` for TCP connections that reached an instance. Forwarded work counts at both machines. */
  requests: { service: string; statusClass: string; count: number }[]
  retries: number
  refused: { reason: string; count: number }[]
  /** Held at this moment. */
  held: number
  /** Connections of clients, and of other balancers, open at this moment. */
  openConnections: number
}
