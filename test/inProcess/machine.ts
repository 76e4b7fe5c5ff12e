import { pino } from 'pino'
import { AgentDisk } from '../../src/agent/agentDisk.ts'
import { composeAgent, type ComposedAgent } from '../../src/agent/composeAgent.ts'
import type { Loopback } from '../../src/agent/loopback.ts'
import { noFirewall } from '../../src/drivers/firewall/firewall.ts'
import { noNames } from '../../src/drivers/names/hostsFile.ts'
import { createFakeAddress } from '../../src/drivers/address/fakeAddress.ts'
import { FakeBalancer } from '../../src/drivers/balancer/fakeBalancer.ts'
import { createFakeHost, type FakeHost } from '../../src/drivers/host/fakeHost.ts'
import type { FakeProgram } from '../../src/drivers/supervisor/fakeProcesses.ts'
import { createFakeSupervisor, type FakeSupervisor } from '../../src/drivers/supervisor/fakeSupervisor.ts'
import type { InstanceSpec } from '../../src/drivers/supervisor/supervisor.ts'
import { sleep, type Clock } from '../../src/lib/clock.ts'
import type { JsonFiles } from '../../src/lib/jsonFolder.ts'
import { OwnSecrets } from '../../src/agent/secrets/ownSecrets.ts'
import { loadAgentFeatures } from '../../src/machine/features.ts'
import type { Checkup } from '../../src/protocol/checkup.ts'
import type { MachineLoad } from '../../src/protocol/numbers.ts'
import type { VirtualClock } from '../../src/lib/testing/virtualClock.ts'
import { Life } from './life.ts'
import { MemoryCache } from './memoryCache.ts'
import type { Line } from './network.ts'

/** How the instances of a release behave on one machine, beyond what `FakeProgram` says. */
export interface Behaviour extends FakeProgram {
  /** Time from the start until the program listens. */
  bootMs?: number
  /** Status of its answers to probes; it answers `null` never. */
  status?: number | null
}

/** Loaded before any test: a start of an agent on virtual time loads no file. */
const hang = await loadAgentFeatures()

/** The files of a machine: they survive the agent, and are lost with the disk. */
export class MemoryFiles implements JsonFiles {
  isFull = false
  #files = new Map<string, string>()

  read(name: string): unknown {
    return JSON.parse(this.#files.get(name) ?? 'null')
  }

  write(name: string, value: unknown): void {
    if (this.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    this.#files.set(name, `${JSON.stringify(value)}\n`)
  }

  replace(name: string, value: unknown): void {
    this.write(name, value)
  }

  append(name: string, value: unknown): void {
    const line = `${JSON.stringify(value)}\n`
    // A disk that becomes full may take half of a line.
    this.#files.set(name, (this.#files.get(name) ?? '') + (this.isFull ? line.slice(0, -9) : line))
    if (this.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }

  lines(name: string): string[] {
    return (this.#files.get(name) ?? '').split('\n').slice(0, -1)
  }
}

/** One machine with a real agent over fake drivers. As on a server, instances and balancer outlive the agent. */
export class Machine {
  readonly name: string
  readonly line: Line
  host: FakeHost = createFakeHost()
  files = new MemoryFiles()
  cache: MemoryCache
  supervisor: FakeSupervisor
  balancer = new FakeBalancer()
  /** Services whose data was removed. */
  readonly removedData: string[] = []
  behaviour: (spec: InstanceSpec) => Behaviour = () => ({})
  load: MachineLoad = { cpu: null, memory: null, disk: null }
  /** Its answer when the controller asks for a checkup. */
  checkup: Checkup
  /** How far the machine's clock is behind. */
  behindMs = 0
  #clock: VirtualClock
  #random: () => number
  #isReachable: () => boolean
  #life = new Life()
  #agent: ComposedAgent | null = null
  /** Ids of instances whose port is open. */
  #listens = new Set<string>()

  constructor(name: string, line: Line, clock: VirtualClock, random: () => number, isReachable: () => boolean) {
    this.name = name
    this.checkup = { machine: name, checked: [], findings: [] }
    this.line = line
    this.#clock = clock
    this.#random = random
    this.#isReachable = isReachable
    this.cache = new MemoryCache(clock, isReachable)
    this.supervisor = this.#freshSupervisor()
  }

  /** `null` while no agent runs. */
  get agent(): ComposedAgent['agent'] | null {
    return this.#agent === null ? null : this.#agent.agent
  }

  get connected(): boolean {
    return this.#agent !== null && this.#agent.link.connected
  }

  running(service?: string): InstanceSpec[] {
    const ids = this.supervisor.running()
    const specs = ids.flatMap((id) => this.supervisor.starts.findLast((spec) => spec.id === id) ?? [])
    return specs.filter((spec) => service === undefined || spec.service === service)
  }

  async startAgent(): Promise<void> {
    const life = new Life()
    this.#life = life
    const kept = life.view(this.#clock, ['after'])
    const clock: Clock = {
      now: () => kept.now() - this.behindMs,
      monotonic: () => kept.monotonic(),
      after: (ms, fire) => kept.after(ms, fire),
    }
    const { name: machine } = this
    const supervisor = life.view(this.supervisor, ['start', 'stop', 'forget', 'close'])
    const balancer = life.view(this.balancer, ['apply', 'release', 'cut', 'close'])
    const host = life.view(this.host, ['begin', 'forget', 'restart'])
    const options = {
      ...{ machine, ports: { first: 7_000, last: 7_999 }, tcpOffset: 0, secretsFolder: null, cacheCapBytes: null },
      ...{ keepLast: 2, version: '0', logger: pino({ level: 'silent' }), supervisor },
      features: hang({
        address: createFakeAddress(),
        hostDriver: host,
        names: noNames,
        firewall: noFirewall(null),
        secrets: new OwnSecrets(),
        settings: { take: async () => {} },
      }),
      bootMark: () => host.bootMark(),
      examine: async () => this.checkup,
    }
    const composed = await composeAgent(options, {
      ...{ balancer, cache: life.view(this.cache, ['fetch', 'collect']), connection: this.line.connection() },
      disk: new AgentDisk(`/machine/${machine}`, life.view(this.files, ['write', 'replace', 'append'])),
      source: { fetch: () => never() },
      loopback: this.#loopback(),
      load: async () => this.load,
      endpoints: { host: `10.0.0.${machine}`, http: 80, forward: 81, metrics: 82 },
      ...{ env: {}, clock, random: this.#random },
    })
    this.#agent = composed
    void composed.start()
  }

  /** Kills the agent with SIGKILL. Instances and balancer stay. */
  killAgent(): void {
    this.#life.end()
    this.#agent = null
    this.line.breakStreams()
  }

  /** The agent ends as at SIGTERM. */
  async stopAgent(): Promise<void> {
    const agent = this.#agent
    this.#agent = null
    if (agent !== null) await agent.close()
  }

  /** The machine loses its power: every process ends. `startAgent` is its next start. */
  losePower(): void {
    this.killAgent()
    this.supervisor = this.#freshSupervisor()
    this.balancer = new FakeBalancer()
    this.host.start()
  }

  loseDisk(): void {
    this.files = new MemoryFiles()
    this.cache = new MemoryCache(this.#clock, this.#isReachable)
  }

  /** Whether the program of an instance runs and its port is open. */
  isUp(id: string): boolean {
    return this.supervisor.isAlive(id) && this.#listens.has(id)
  }

  /** Closes the port of a running instance. */
  deafen(id: string): void {
    this.#listens.delete(id)
  }

  #freshSupervisor(): FakeSupervisor {
    const listens = new Set<string>()
    this.#listens = listens
    const supervisor = createFakeSupervisor(this.#clock, { outlivesAgent: true })
    supervisor.setProgram((spec) => {
      const behaviour = this.behaviour(spec)
      listens.delete(spec.id)
      if (behaviour.listens ?? true) this.#clock.after(behaviour.bootMs ?? 100, () => listens.add(spec.id))
      return behaviour
    })
    const dataFolders = {
      sweep: async () => {},
      remove: async (service: string) => void this.removedData.push(service),
    }
    return Object.assign(supervisor, { dataFolder: (service: string) => `/data/${service}`, dataFolders })
  }

  #loopback(): Loopback {
    return {
      probe: async ({ health }, port, signal) => {
        await sleep(this.#clock, 1, signal)
        const owner = this.running().find((spec) => spec.env['PORT'] === String(port) && this.isUp(spec.id))
        if (!owner) return { ok: false, reason: `nothing listens on its PORT, ${port}`, isClosed: true }
        const { status = 200 } = this.behaviour(owner)
        if (status !== null && status < 400) return { ok: true }
        if (status !== null) return { ok: false, reason: `GET ${health.path} answered ${status}` }
        await sleep(this.#clock, health.timeoutMs, signal)
        return { ok: false, reason: `GET ${health.path} got no answer within ${health.timeoutMs} ms` }
      },
      closedPortReason: async (port) => `nothing listens on its PORT, ${port}`,
      isFree: async (port) => !this.running().some((spec) => spec.env['PORT'] === String(port)),
    }
  }
}

function never(): never {
  throw new Error('the cache in memory reads no objects')
}
