import { lookup } from 'node:dns/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import { freePort } from '../../../lib/freePort.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { randomId } from '../../../lib/ids.ts'
import { KeyedQueue } from '../../../lib/keyedQueue.ts'
import type {
  BalancerChange,
  BalancerCounters,
  BalancerDriver,
  BalancerNumbers,
  InFlight,
  RoutingPlan,
  Unserved,
} from '../balancer.ts'
import { acceptableRoutes } from './acceptableRoutes.ts'
import { Admission } from './admission.ts'
import { bringRoutes, type BringParts } from './bringRoutes.ts'
import { Certificates, type PublicCertificates } from './certificates.ts'
import { configuredServers, type ConfiguredServer } from './configuredServer.ts'
import { haproxyConfig, shapeIn } from './haproxyConfig.ts'
import { HaproxyFolder, type ForwardingTls } from './haproxyFolder.ts'
import type { HaproxyProcess } from './haproxyProcess.ts'
import { haproxyFiles, haproxyLimits, type HaproxyLimits, type HaproxySettings } from './haproxySettings.ts'
import { LeftoverServers } from './leftoverServers.ts'
import { MasterSocket } from './masterSocket.ts'
import { roomIn, shortageOf } from './openFiles.ts'
import { RunningHaproxy, type RunningWorker } from './runningHaproxy.ts'
import { nameOf } from './runningServers.ts'
import { PeerAddresses, withAddresses, type Lookup } from './peerAddresses.ts'
import { readable, type ServedRoute } from './servedRoute.ts'
import { StoppedInstances } from './stoppedInstances.ts'
import { WorkWatch } from './workWatch.ts'
import { idleConnectionsIn } from './workCounts.ts'

export interface HaproxyBalancerOptions {
  /**
   * Folder for the files that Tandem writes for HAProxy: configuration, script, maps, the certificate of this machine.
   */
  dir: string
  /** Folder for sockets; a short path, below `/run` in production. */
  runDir: string
  /** Address of the entry and of the TCP ports. */
  host: string
  /** 0: any free port; see `ports`. */
  httpPort: number
  https?: PublicCertificates
  forward: { host: string; port: number }
  /** Networks of balancers in front, as CIDR; absent: none. */
  trustedProxies?: readonly string[]
  /**
   * Certificates between machines, for both directions: the authority, and the certificate and key of this machine.
   * Renewed files are loaded.
   */
  tls: ForwardingTls
  machine: string
  clock: Clock
  process: HaproxyProcess
  /** User and group of HAProxy once it listens; `null`: the user who starts it. */
  user?: string | null
  /** HAProxy runs as that user from its start, and reads the files of Tandem through the group of `dir`. */
  sharesGroup?: boolean
  limits?: Partial<HaproxyLimits>
  /** Finds the address of a machine by its name. Default: as this machine does. */
  lookup?: Lookup
  log?: (message: string, about: Record<string, unknown>) => void
}

/** A plan, and the addresses of the machines that it lists by name. */
interface Asked {
  plan: RoutingPlan
  addresses: Map<string, string>
}

export interface HaproxyBalancer extends BalancerDriver {
  /**
   * Admits the machines that may forward work here, by the common name of their certificate; `null`: any machine with a
   * certificate of this cluster. Cuts the connections of a machine that is no longer admitted. The list is kept on
   * disk.
   */
  admit(machines: string[] | null): Promise<void>
}

export function createHaproxyBalancer(options: HaproxyBalancerOptions): HaproxyBalancer {
  return new Haproxy(options)
}

/** The balancer of production machines: HAProxy, which keeps running without the agent. */
class Haproxy implements HaproxyBalancer {
  readonly name = 'haproxy'
  readonly ports = { http: 0, forward: 0 }
  readonly #options: HaproxyBalancerOptions
  readonly #limits: HaproxyLimits
  readonly #folder: HaproxyFolder
  readonly #running: RunningHaproxy
  readonly #leftover: LeftoverServers
  readonly #parts: BringParts
  readonly #watch: WorkWatch
  readonly #admission: Admission
  readonly #certificates: Certificates
  readonly #stopped: StoppedInstances
  readonly #peers: PeerAddresses
  readonly #listeners: ((change: BalancerChange) => void)[] = []
  /** Runs operations one after the other, even if earlier operations failed. */
  readonly #queue = new KeyedQueue()
  #closing: Promise<void> | null = null
  #lookups: Promise<unknown> = Promise.resolve()
  /** The newest requested plan. */
  #asked: Asked | null = null
  #routes: ServedRoute[] | null = null
  #wanted: ConfiguredServer[] = []
  /** Changes with any certificate; the value at the last applied plan. */
  #certificatesHash: string | null = null
  /** The shortage of open files, and so of connections, on this machine, as text. */
  #shortage: string | null = null

  constructor(options: HaproxyBalancerOptions) {
    this.#options = options
    this.#limits = { ...haproxyLimits, ...options.limits }
    this.#folder = new HaproxyFolder(
      haproxyFiles(options.dir, options.runDir),
      options.process.program,
      options.sharesGroup,
    )
    const socket = new MasterSocket(this.#folder.files.master, this.#limits.commandMs)
    this.#running = new RunningHaproxy(socket, this.#limits, this.#folder.files.run)
    const log = (message: string, about: Record<string, unknown> = {}): void => options.log?.(message, about)
    this.#leftover = new LeftoverServers(this.#running)
    this.#parts = { folder: this.#folder, running: this.#running, leftover: this.#leftover, process: options.process }
    this.#watch = new WorkWatch({
      ...{ running: this.#running, leftover: this.#leftover, limits: this.#limits, clock: options.clock, log },
      inTurn: (work) => this.#inTurn(work),
      isClosing: () => this.#closing !== null,
      tell: (change) => this.#tell(change),
      counting: randomId(),
    })
    this.#peers = new PeerAddresses(options.lookup ?? lookup, this.#limits.lookupMs)
    this.#admission = new Admission(this.#folder, this.#running)
    this.#stopped = new StoppedInstances(this.#folder, this.#running)
    const { tls, https } = options
    this.#certificates = new Certificates({ folder: this.#folder, tls, https, limits: this.#limits, log })
  }

  /**
   * Adopts the running HAProxy unchanged. If none runs, starts HAProxy with its last configuration, or without routes.
   */
  async listen(): Promise<void> {
    const { host, httpPort, forward } = this.#options
    this.ports.http = httpPort || (await freePort(host))
    this.ports.forward = forward.port || (await freePort(forward.host))
    this.#folder.prepare(this.#limits.held)
    await this.#certificates.bring()
    await this.#inTurn(() => this.#start())
    this.#certificates.watch(() => this.#takeUpCertificates())
  }

  async #start(): Promise<void> {
    const { process, log } = this.#options
    const { config } = this.#folder.files
    const settings = await this.#settings()
    const last = this.#folder.config()
    if (last !== null) {
      try {
        return await process.ensureStarted(config)
      } catch (error) {
        log?.('HAProxy does not start with its last configuration; starting it without routes', {
          error: String(error),
        })
      }
    }
    this.#folder.writeConfig(haproxyConfig(null, settings))
    try {
      await process.ensureStarted(config)
    } catch (cause) {
      if (last !== null) this.#folder.writeConfig(last)
      throw doesNotStart(config, await process.lastWords(), cause)
    }
  }

  async serving(): Promise<ReadonlySet<string>> {
    const { servers } = await this.#running.look()
    return new Set(servers.flatMap(({ name, active }) => (active && !name.includes(':') ? [name] : [])))
  }

  /** Names are looked up before the plan takes its turn: a lookup during the turn would block all other operations. */
  async apply(plan: RoutingPlan): Promise<Unserved[]> {
    const lookups = Promise.all([this.#peers.of(plan), this.#lookups]).then(([addresses]) => addresses)
    this.#lookups = lookups
    const asked = { plan, addresses: await lookups }
    if (this.#closing) throw new Error('the balancer is closed and accepts no more plans')
    this.#asked = asked
    return this.#inTurn(() => this.#applyNow(asked))
  }

  async #applyNow({ plan, addresses }: Asked): Promise<Unserved[]> {
    const worker = await this.#lookOrStart()
    const resolved = withAddresses(plan, addresses, worker.servers)
    const asked = readable(resolved.plan)
    const settings = await this.#settings(worker.openFiles)
    this.#shortage = shortageOf(settings.room, worker.openFiles)
    const { routes, unserved } = await this.#acceptable(asked.routes, settings, worker)
    const wanted = configuredServers(routes, settings)
    await bringRoutes(this.#parts, { routes, wanted, settings, worker })
    const before = this.#named(worker)
    ;[this.#routes, this.#wanted, this.#certificatesHash] = [routes, wanted, settings.certificatesHash]
    await this.#stopped.keep(new Set(wanted.map(({ name }) => name)))
    await this.#watch.settle(before, takingWork(wanted))
    return [...resolved.unserved, ...asked.unserved, ...unserved]
  }

  /** HAProxy may have ended on its own or may have been stopped. */
  async #lookOrStart(): Promise<RunningWorker> {
    try {
      return await this.#running.look()
    } catch {
      await this.#start()
      return this.#running.look()
    }
  }

  /** Only a change of routes can be refused: changes of servers alone were checked when the plan was read. */
  async #acceptable(
    routes: ServedRoute[],
    settings: HaproxySettings,
    worker: RunningWorker,
  ): Promise<{ routes: ServedRoute[]; unserved: Unserved[] }> {
    if (shapeIn(haproxyConfig(routes, settings)) === worker.shape) return { routes, unserved: [] }
    return acceptableRoutes({
      routes,
      frontends: await this.#running.frontends(worker.pid),
      host: settings.host,
      entryPorts: [settings.httpPort, ...(settings.https ? [settings.https.port] : [])],
      before: Map.groupBy(
        (this.#routes ?? []).map(({ planned }) => planned),
        ({ service }) => service,
      ),
      refusal: (some) => this.#folder.refusal(haproxyConfig(some, settings)),
    })
  }

  /** The instances known before this plan, and whether they took new work. */
  #named(worker: RunningWorker): Map<string, boolean> {
    const isKnown = this.#routes === null ? null : new Set(this.#wanted.map(({ name }) => name))
    return takingWork(worker.servers.filter(({ name }) => !name.includes(':') && isKnown?.has(name) !== false))
  }

  inFlight(instance: string): InFlight {
    return this.#watch.inFlight(instance)
  }

  onChange(listener: (change: BalancerChange) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * In maintenance HAProxy closes idle connections and keeps those in use. Waiting for that does not block other
   * changes.
   */
  async release(instance: string): Promise<void> {
    const isKnown = await this.#inTurn(() => this.#maintain(instance))
    if (!isKnown) return
    await this.#running.staleGone()
    const deadline = this.#options.clock.monotonic() + this.#limits.upstreamIdleMs * 2
    while (this.#options.clock.monotonic() < deadline) {
      const { workers, reading } = await this.#running.read()
      if (idleConnectionsIn(reading.get(workers[0]) ?? [], instance) === 0) return
      await pause(this.#limits.watchMs)
    }
  }

  async #maintain(instance: string): Promise<boolean> {
    const { pid, servers } = await this.#running.look()
    const own = servers.filter(({ name, active }) => name === instance && !active)
    await this.#running.tell(
      pid,
      own.map((server) => `set server ${nameOf(server)} state maint`),
    )
    if (own.length > 0) await this.#stopped.add(instance)
    return own.length > 0
  }

  cut(instance: string): void {
    void this.#inTurn(async () => {
      await this.#running.cutSessions((line) => line.includes(` srv=${instance} `))
      await this.#watch.read()
    }).catch((error: unknown) => this.#options.log?.('could not cut connections', { instance, error: String(error) }))
  }

  admit(machines: string[] | null): Promise<void> {
    return this.#inTurn(() => this.#admission.admit(machines))
  }

  endKeepAlive(on: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const { pid } = await this.#running.look()
      await this.#running.tell(pid, [`tandem ${on ? 'goodbye' : 'stay'}`])
    })
  }

  counters(): BalancerCounters {
    return this.#watch.counters()
  }

  numbers(): Promise<BalancerNumbers> {
    return this.#inTurn(() => this.#watch.numbers())
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow()
    return this.#closing
  }

  async #closeNow(): Promise<void> {
    this.#certificates.close()
    await this.#inTurn(async () => this.#running.held.close())
    await this.#options.process.end()
  }

  async #settings(openFiles: number | null = null): Promise<HaproxySettings> {
    const { machine, host, https, forward, user, trustedProxies } = this.#options
    const settings: HaproxySettings = {
      machine,
      host,
      httpPort: this.ports.http,
      https: https ? { port: https.port, certificates: https.certificates } : null,
      forward: { host: forward.host, port: this.ports.forward },
      files: this.#folder.files,
      user: user ?? null,
      certificatesHash: this.#certificates.take(),
      limits: this.#limits,
      room: roomIn(openFiles, this.#limits.connections),
      trustedProxies: trustedProxies ?? [],
    }
    return this.#certificates.only(settings)
  }

  async needsPlan(): Promise<boolean> {
    if (this.#asked === null || this.#closing) return false
    if (await this.#running.isUp()) return false
    return (await this.#options.process.isFailing?.()) ?? false
  }

  problems(): string[] {
    return [...this.#certificates.problems, ...(this.#shortage === null ? [] : [this.#shortage])]
  }

  /**
   * Renewed certificates change the shape of the same plan: applying the plan again loads them by a reload. The plan is
   * chosen in its turn: a newer plan may have come first.
   */
  #takeUpCertificates(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#asked === null || this.#closing || this.#certificates.take() === this.#certificatesHash) return
      await this.#applyNow(this.#asked)
    })
  }

  #tell(change: BalancerChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#queue.run('haproxy', work)
  }
}

const doesNotStart = (config: string, said: string, cause: unknown): OperatorError =>
  new OperatorError('E_BALANCER_REFUSES', `HAProxy does not start: ${said}`, {
    subject: config,
    next: 'check whether another process uses its ports: ss -ltnp; for details: journalctl -u tandem-haproxy; Tandem retries',
    cause,
  })

/** Whether each instance takes new work in any backend. */
function takingWork(servers: readonly { name: string; active: boolean }[]): Map<string, boolean> {
  const taking = new Map<string, boolean>()
  for (const { name, active } of servers) taking.set(name, active || (taking.get(name) ?? false))
  return taking
}
