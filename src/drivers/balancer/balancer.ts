/** The complete plan for the balancer of one machine. A later plan replaces an earlier one in one step. */
export interface RoutingPlan {
  /** Log position of the plan. `apply` acknowledges it. */
  position: number
  machine: string
  routes: PlannedRoute[]
}

export type PlannedRoute = HttpPlannedRoute | TcpPlannedRoute

interface PlannedRouteBase {
  service: string
  /** Instances on this machine. */
  targets: Target[]
  /** Balancers of other machines that may serve the route; used only if no local target can take the work. */
  peers: Peer[]
  /**
   * There is no target for a short time on purpose (`replace`): hold requests up to this long before a 503. `null`: do
   * not hold.
   */
  holdMs: number | null
  /** Cut a connection that is idle for this long; `null`: never. Applies to WebSockets, TCP and streamed responses. */
  idleMs: number | null
}

export interface HttpPlannedRoute extends PlannedRouteBase {
  kind: 'http'
  /** Lowercase; `null`: any host. */
  host: string | null
  path: string
  bodyBytes: number | null
  /**
   * The port of the route; the route then answers there for every host and path, and not at the entry. `null`: the
   * route answers at the entry.
   */
  own: OwnPort | null
}

export interface TcpPlannedRoute extends PlannedRouteBase {
  kind: 'tcp'
  own: OwnPort
}

/** Where a route listens that does not answer at the entry. */
export interface OwnPort {
  /** The route listens at the addresses of the entry. */
  public: boolean
  /**
   * The route listens at this loopback address. A public route does too, so that a change of `expose` closes nothing
   * there.
   */
  loopback: string | null
  /** Already shifted on a laptop. */
  port: number
  /** Name of this route among the machines: `5672`, or `redis/6379` where two services may have the same port. */
  name: string
  /** Other names of the route, used by machines that have not yet applied a change of `expose`. */
  also: string[]
}

export interface Target {
  instance: string
  port: number
  /** `active` takes new work; `draining` only finishes its current work. */
  state: 'active' | 'draining'
}

export interface Peer {
  machine: string
  host: string
  /** The forwarding port of the peer: it accepts only forwarded work, and never forwards that work again. */
  port: number
}

/**
 * Work in flight on one instance, counted by the balancer of this machine: only this balancer connects to the instance.
 */
export interface InFlight {
  /**
   * HTTP requests being served, TCP connections and WebSockets. 0 means that a stop of the instance would lose nothing.
   */
  work: number
  /** The long ones among them, which live until the drain deadline: WebSockets, TCP connections, event streams. */
  long: number
}

/** Takes requests on one machine. Implementations: `embedded`, `haproxy`, and a programmable fake. */
export interface BalancerDriver {
  readonly name: string
  /** The actual ports of the entry (`http`) and of forwarding. Valid after `listen`. */
  readonly ports: { http: number; forward: number }
  listen(): Promise<void>
  /**
   * Resolves when the plan is in force: new work follows it, and no new work reaches a target that it does not name as
   * `active`. Plans take effect in the order given. If the driver cannot listen on a TCP port, it reports that and
   * serves the rest of the plan: a problem of one service must not delay the rollout of another. Rejects only if the
   * driver could apply no part of the plan.
   */
  apply(plan: RoutingPlan): Promise<Unserved[]>
  /**
   * Instances here that take new work before the first plan, because the balancer runs without an agent. Absent: the
   * driver cannot do that.
   */
  serving?(): Promise<ReadonlySet<string>>
  inFlight(instance: string): InFlight
  /**
   * The listener is called when a draining instance (or one that no plan names any more) has no work left, and when an
   * instance is ejected or restored. An instance without work that begins to drain is reported `idle` before its
   * `apply` resolves.
   */
  onChange(listener: (change: BalancerChange) => void): void
  /**
   * Whether the last plan must be applied again, because the balancer fails without: another program may have taken a port
   * while it was off. Asked with each heartbeat. Absent: never.
   */
  needsPlan?(): Promise<boolean>
  /**
   * Closes idle kept-alive connections to an instance that is about to be stopped, and cuts none in use. Resolves when
   * no idle connection is left.
   */
  release(instance: string): Promise<void>
  /** Cuts all work that is left on an instance: called after the time for its stop signal (`stop.within`). */
  cut(instance: string): void
  /**
   * From now on only these machines may forward work here; the connections of other machines are cut. Absent: the
   * driver does not know machines.
   */
  admit?(machines: string[]): Promise<void>
  /**
   * While `true`, every answer to a client ends its connection: a virtual address is about to move. Absent: no caller
   * needs it.
   */
  endKeepAlive?(on: boolean): Promise<void>
  /** Other problems for a person to know, as text: no service causes them, and they affect no service. */
  problems?(): string[]
  /**
   * Counters since the start, for `/metrics`: requests by service and status class, retries, refusals by reason, held,
   * open connections.
   */
  counters(): BalancerCounters
  /** Counts by instance and by service. A reading with real cost: for callers that ask every few seconds. */
  numbers(): Promise<BalancerNumbers>
  close(): Promise<void>
}

/** A service whose route could not be opened, and the reason. */
export interface Unserved {
  service: string
  reason: string
}

export type BalancerChange =
  | { type: 'idle'; instance: string }
  | { type: 'ejected'; instance: string; reason: string }
  | { type: 'restored'; instance: string }

/** Numbers of answers by the class of their status: 1xx, 2xx, 3xx, 4xx, 5xx. */
export type AnswersByClass = [number, number, number, number, number]

export const noAnswers: Readonly<AnswersByClass> = [0, 0, 0, 0, 0]

/**
 * Counts that only grow, as long as `counting` stays the same: a driver that counts from zero again names another one.
 * The counts of an instance include all that it got since it exists, also over a reload of the balancer, and stay for
 * two minutes after it is gone.
 */
export interface BalancerNumbers {
  counting: string
  instances: InstanceNumbers[]
  services: ServiceNumbers[]
}

export interface InstanceNumbers {
  instance: string
  service: string
  /** Answers that the instance began. 1xx: protocols switched (WebSockets) and interim answers. */
  answers: AnswersByClass
  /** TCP connections that reached the instance. */
  connections: number
  /** Times that the instance refused a connection, or ended one before its answer began. */
  errors: number
  /** As `InFlight`. */
  work: number
}

/** The work of a service at this machine that reached no instance, or did so late. */
export interface ServiceNumbers {
  service: string
  /** Answers that the balancer itself made: no instance, a limit, no answer of the instance. */
  own: AnswersByClass
  /** Times that work was tried again. */
  retries: number
  /** Requests and connections held at this moment. */
  held: number
}

export interface BalancerCounters {
  /** `2xx` and so on; `tcp` for TCP connections that reached an instance. Forwarded work counts on both machines. */
  requests: { service: string; statusClass: string; count: number }[]
  retries: number
  refused: { reason: string; count: number }[]
  /** Number held at this moment. */
  held: number
  /** Connections of clients and of other balancers that are open at this moment. */
  openConnections: number
}
