import { pino } from 'pino'
import type { OperationName, Operations, Parsed, Result } from '../../src/api/contract.ts'
import { AgentLinks } from '../../src/controller/agentLinks.ts'
import { Asks } from '../../src/controller/asks.ts'
import { ChecksKeeper } from '../../src/controller/checks/checksKeeper.ts'
import { Channels } from '../../src/controller/channels.ts'
import { Controller } from '../../src/controller/controller.ts'
import type { Deciding } from '../../src/controller/deciding.ts'
import { foldLog } from '../../src/controller/foldLog.ts'
import type { Handlers, Rooms } from '../../src/controller/handlers.ts'
import { askCheckup } from '../../src/controller/http/checkups.ts'
import { LastWordsKeeper } from '../../src/controller/lastWords/lastWordsKeeper.ts'
import { Past } from '../../src/controller/past/past.ts'
import { NumbersKeeper } from '../../src/controller/numbers/numbersKeeper.ts'
import { RolloutRecorder } from '../../src/controller/numbers/rolloutRecorder.ts'
import { statusView } from '../../src/controller/statusView.ts'
import { operationHandlers } from '../../src/controller/http/operationHandlers.ts'
import { Tails } from '../../src/controller/tails/tails.ts'
import type { Definition } from '../../src/definitions/definition.ts'
import { aDefinition } from '../../src/definitions/testing/aDefinition.ts'
import type { RecordedEvent } from '../../src/events/event.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { VirtualClock } from '../../src/lib/testing/virtualClock.ts'
import type { RolloutView } from '../../src/projections/rolloutHistory.ts'
import { MemoryEventLog, type Disk } from '../../src/store/testing/memoryEventLog.ts'
import { Life } from './life.ts'
import { Machine } from './machine.ts'
import { Line, type ControllerEnd } from './network.ts'

/** The id of the release that a test calls by a short name; a name of hexadecimal digits. */
export const releaseOf = (name: string): string => `${name}f`.padEnd(64, '0')

/** `a`, `b`, …: up to ten. */
export const machineNames = (count: number): string[] => 'a b c d e f g h i j'.split(' ').slice(0, count)

/** Longer than any deadline of one turn. */
const patienceMs = 600_000

interface Running {
  controller: Controller
  links: AgentLinks
  handlers: Handlers
  numbers: NumbersKeeper
  asks: Asks
  channels: Channels
  end: ControllerEnd
  life: Life
}

/**
 * The real controller and real agents in this process, over fake drivers, on virtual time: everything between a call of
 * the API and the calls of the drivers is product code. Disks are memory that outlives the process that uses it.
 * Deterministic from its seed.
 */
export class Cluster {
  readonly clock = new VirtualClock()
  readonly machines = new Map<string, Machine>()
  readonly disk: Disk = { rows: [] }
  /** False: the controller is of a version that takes only whole reports. */
  takesChanges = true
  readonly random: () => number
  #running: Running | null = null
  #log = new MemoryEventLog(this.disk, this.clock)
  /** Apart from `random`, so that a new id changes nothing else. */
  #chance: () => number

  /** Starts a controller and machines `a`, `b`, …, and waits until all have reported. */
  static async start({ machines = 2, seed = 1 }: { machines?: number; seed?: number } = {}): Promise<Cluster> {
    const cluster = new Cluster(seed)
    await cluster.startController()
    for (const name of machineNames(machines)) await cluster.addMachine(name)
    return cluster
  }

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.#chance = seededRandom(seed + 2 ** 16)
  }

  get controller(): Controller {
    if (this.#running === null) throw new Error('no controller runs now')
    return this.#running.controller
  }

  /** The parts of the running controller that an HTTP server needs. */
  get parts(): Pick<Running, 'controller' | 'links' | 'asks' | 'channels' | 'numbers'> {
    if (this.#running === null) throw new Error('no controller runs now')
    return this.#running
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name)
    if (!machine) throw new Error(`there is no machine ${name}`)
    return machine
  }

  async addMachine(name: string): Promise<Machine> {
    const line = new Line(name, () => this.#running?.end ?? null, this.clock, this.random)
    const isReachable = (): boolean => this.#running !== null && line.faults.state === 'up'
    const machine = new Machine(name, line, this.clock, this.random, isReachable)
    this.machines.set(name, machine)
    await this.wait(machine.startAgent())
    await this.until(`${name} reports`, () => this.controller.state.machines[name]?.lost === false)
    return machine
  }

  /** Begins to lead with what the disk holds. */
  async startController(restored: string | null = null): Promise<void> {
    const life = new Life()
    const clock = life.view(this.clock, ['after'])
    const log = life.view(this.#log, ['append', 'read', 'position'])
    const config = { cluster: 'test', laptop: false }
    const { fold } = await this.wait(foldLog(log, config))
    const controller = new Controller({
      ...{ config, log, fold, clock, logger: pino({ level: 'silent' }), version: '0', restored },
      newId: () =>
        Math.floor(this.#chance() * 2 ** 32)
          .toString(16)
          .padStart(8, '0'),
    })
    const links = new AgentLinks(controller)
    const asks = new Asks((machine, ask) => links.ask(machine, ask), clock)
    const channels = new Channels((machine, ask) => links.ask(machine, ask), clock)
    // Tokens, certificates and objects need files and threads: whole-process tests have them.
    const numbers = new NumbersKeeper({ controller, logger: pino({ level: 'silent' }) })
    const past = new Past({ log, config, snapshots: null, clock })
    const rooms = { controller, numbers, past, releases: { resolve: resolved(controller) } } as unknown as Rooms
    const handlers = operationHandlers(rooms, { channels, asks })
    const end: ControllerEnd = {
      connect: (machine, link) => links.connect(machine, link),
      report: async (machine, body) => {
        if (body.machine !== machine) throw new Error(machine)
        return { laterBoot: await controller.report(body), takesChanges: this.takesChanges }
      },
      reportChange: async (machine, change) => {
        if (change.machine !== machine || !this.takesChanges) throw new Error(machine)
        return { taken: await controller.reportChange(change) }
      },
      post: async (_, path) => {
        throw new Error(`nobody answers ${path} here`)
      },
      answer: async (machine, id, answers) => {
        asks.begin(id, machine)
        await asks.answer(id, answers)
      },
    }
    this.#running = { controller, links, handlers, numbers, asks, channels, end, life }
    await this.wait(controller.lead())
  }

  /** Begins to keep the last output of failed instances in that folder, as the controller does. */
  keepLastWords(folder: string): LastWordsKeeper {
    return new LastWordsKeeper({ controller: this.controller, logger: pino({ level: 'silent' }), folder })
  }

  /** The same for the numbers of rollouts. */
  recordRollouts(folder: string): RolloutRecorder {
    const recorder = new RolloutRecorder({ controller: this.controller, logger: pino({ level: 'silent' }), folder })
    this.readNumbers().onSample((sample, before) => recorder.take(sample, before))
    return recorder
  }

  /** Begins to ask the machines for their numbers, as a controller does that was started with `startController`. */
  readNumbers(): NumbersKeeper {
    if (this.#running === null) throw new Error('no controller runs now')
    const { numbers, asks } = this.#running
    numbers.start((machine, ask, signal) => asks.ask(machine, ask, signal))
    return numbers
  }

  /** Begins to keep the newest checkups of controller and machines. */
  keepChecks(): ChecksKeeper {
    if (this.#running === null) throw new Error('no controller runs now')
    const { controller, asks } = this.#running
    const keeper = new ChecksKeeper({ controller, logger: pino({ level: 'silent' }) })
    keeper.start({
      own: async () => ({ machine: '(controller)', checked: [], findings: [] }),
      ofMachine: (machine, signal) => askCheckup(controller, asks, machine, signal),
    })
    return keeper
  }

  /** The tails of output that streams of the controller carry. */
  tails(): Tails {
    if (this.#running === null) throw new Error('no controller runs now')
    const tails = new Tails(this.#running)
    tails.start(this.#running.asks)
    return tails
  }

  /** Kills the controller with SIGKILL: only its disk stays. */
  killController(): void {
    const running = this.#running
    this.#running = null
    running?.numbers.close()
    running?.life.end()
    for (const { line } of this.machines.values()) line.breakStreams()
  }

  set isDiskFull(isFull: boolean) {
    this.#log.isFull = isFull
  }

  /** Calls an operation of the API, as the HTTP server does, and lets time pass until it answers. */
  call<N extends OperationName>(name: N, input: Partial<Parsed<Operations[N]>>): Promise<Result<Operations[N]>> {
    const running = this.#running
    if (running === null) return Promise.reject(new Error('no controller runs now'))
    const caller = { role: 'operator', machine: null, name: 'test', token: null, session: null } as const
    const answer = async (): Promise<unknown> => {
      const answered: unknown = running.handlers[name](input as never, caller, () => false) // the signature pairs them
      if (!isDeciding(answered)) return answered
      await answered.before?.()
      return answered.answer(await running.controller.execute(answered.request, caller.name))
    }
    return this.wait(answer()) as Promise<Result<Operations[N]>> // likewise
  }

  async publish(release: string, over: Partial<Definition> = {}): Promise<string> {
    const id = releaseOf(release)
    const definition = aDefinition({
      health: { path: '/', everyMs: 100, timeoutMs: 1_000, withinMs: 5_000, settleMs: 500 },
      rollout: { strategy: 'overlap', drainMs: 2_000 },
      stop: { signal: 'SIGTERM', withinMs: 2_000 },
      ...over,
    })
    const { service } = definition
    await this.wait(
      this.controller.execute({ type: 'PublishRelease', service, release: id, definition, bytes: 10 }, 'test'),
    )
    return id
  }

  /** Starts a rollout without waiting for its end. */
  async start(
    service: string,
    release: string | null,
    over: Partial<Parsed<Operations['startRollout']>['body']> = {},
  ): Promise<RolloutView | null> {
    const body = {
      service,
      kind: 'deploy' as const,
      release,
      allowOutage: false,
      removeData: false,
      ...{ force: false, withConfig: false, withSecrets: false },
      ...over,
    }
    return (await this.call('startRollout', { body })).rollout
  }

  /** Publishes a release, rolls it out, and returns the finished rollout. */
  async push(
    release: string,
    over: Partial<Definition> = {},
    how: { allowOutage?: boolean } = {},
  ): Promise<RolloutView> {
    const id = await this.publish(release, over)
    const rollout = await this.start(over.service ?? 'shop', id, how)
    if (rollout === null) throw new Error('nothing was to do')
    return this.finished(rollout.id)
  }

  async finished(rollout: string): Promise<RolloutView> {
    const view = (): RolloutView | undefined => this.#running?.controller.history.get(rollout)
    await this.until(`the end of rollout ${rollout}`, () => (view()?.finishedAt ?? null) !== null)
    return view() ?? never()
  }

  /** Lets time pass until a promise settles. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let isOver = false
    const over = (): void => void (isOver = true)
    promise.then(over, over)
    await this.clock.until('an answer', () => isOver, patienceMs)
    return promise
  }

  until(what: string, holds: () => boolean, limitMs = patienceMs): Promise<void> {
    return this.clock.until(what, holds, limitMs)
  }

  status(): Result<Operations['status']> {
    return statusView(this.controller, [])
  }

  /** The instances of a service as `tandem status` shows them. */
  instances(service = 'shop'): Result<Operations['status']>['services'][number]['instances'] {
    return this.status().services.find((one) => one.service === service)?.instances ?? []
  }

  /** Machine, state and release of each instance of a service, in few words. */
  runs(service = 'shop'): string[] {
    return this.instances(service).map((one) => `${one.machine} ${one.state} ${one.release.replace(/f0*$/, '')}`)
  }

  /** Lets time pass until nothing happens any more and every machine has applied everything. */
  async rest(): Promise<void> {
    await this.clock.advance(30_000)
  }

  events(): RecordedEvent[] {
    return this.disk.rows.map((row) => JSON.parse(row) as RecordedEvent) // only the log writes rows
  }

  eventsOf<T extends RecordedEvent['type']>(type: T): Extract<RecordedEvent, { type: T }>[] {
    return this.events().filter((event): event is Extract<RecordedEvent, { type: T }> => event.type === type)
  }
}

const isDeciding = (answer: unknown): answer is Deciding<unknown> =>
  typeof answer === 'object' && answer !== null && 'request' in answer && 'answer' in answer

const resolved =
  (controller: Controller) =>
  (service: string, prefix: string): string => {
    const found = controller.releases.all(service).find(({ release }) => release.startsWith(prefix))
    return found?.release ?? prefix
  }

function never(): never {
  throw new Error('the rollout is not in the history: a bug')
}
