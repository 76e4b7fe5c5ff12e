import { isDeepStrictEqual } from 'node:util'
import { causeOf, growChains } from '../../src/decider/chains.ts'
import { desiredState } from '../../src/decider/desiredState.ts'
import { evolve } from '../../src/decider/evolve.ts'
import { initialWorld } from '../../src/decider/rooms.ts'
import { wrongWith } from '../../src/decider/testing/invariants.ts'
import type { Controller } from '../../src/controller/controller.ts'
import type { Definition } from '../../src/definitions/definition.ts'
import { Cluster, releaseOf } from './cluster.ts'
import type { Behaviour, Machine } from './machine.ts'

const services = ['shop', 'blog']

/** How releases behave: most well. */
const behaviours: Behaviour[] = [
  {},
  {},
  {},
  {},
  { ends: { afterMs: 50, code: 3 }, listens: false },
  { status: 500 },
  { status: null },
  { bootMs: 4_000 },
  { hangsAtStop: true },
  { lastWords: ['bye'], leaves: true },
]

/**
 * A cluster to which random things happen: people change services and machines, instances and disks fail, lines break,
 * processes are killed, clocks jump. Everything follows from the seed.
 */
export class RandomHistory {
  readonly #cluster: Cluster
  /** All happenings so far, in words. */
  readonly told: string[] = []
  readonly #fates = new Map<string, Behaviour>()
  #releases = 0
  /** By how much the wall clock was moved. */
  #offset = 0
  #isControllerUp = true

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    for (const machine of cluster.machines.values())
      machine.behaviour = (spec) =>
        spec.once ? { ends: { afterMs: 500, code: 0 } } : (this.#fates.get(spec.release) ?? {})
  }

  /** `watch` is called with the first controller, and with each new one. */
  static async run(
    seed: number,
    { happenings = 25, watch = () => {} }: { happenings?: number; watch?: (controller: Controller) => void } = {},
  ): Promise<RandomHistory> {
    const history = new RandomHistory(await Cluster.start({ machines: 1 + (seed % 3), seed }))
    try {
      let watched: Controller | null = null
      for (let count = 0; count < happenings; count++) {
        const { controller } = history.#cluster
        if (watched !== controller) watch(controller)
        watched = controller
        await history.#happens()
      }
      await history.#heal()
      await history.#mustRest()
      history.#checkLog()
    } catch (error) {
      throw new Error(`TANDEM_SEED=${seed}: ${String(error)}\n${history.told.join('\n')}`, { cause: error })
    }
    return history
  }

  get cluster(): Cluster {
    return this.#cluster
  }

  async #happens(): Promise<void> {
    const machine = this.#pick([...this.#cluster.machines.values()])
    const what = this.#below(16)
    switch (what) {
      case 0:
      case 1:
      case 2:
        return this.#change()
      case 3: {
        const running = Object.values(this.#cluster.controller.state.rollouts).find(({ stage }) => stage !== 'finished')
        return (
          running &&
          this.#ask(`abort ${running.id}`, this.#cluster.call('abortRollout', { params: { id: running.id } }))
        )
      }
      case 4: {
        const [body, params] = [{ force: this.#chance(0.2), stop: this.#chance(0.3) }, { machine: machine.name }]
        return this.#ask(`drain ${machine.name}`, this.#cluster.call('drainMachine', { params, body }))
      }
      case 5:
        return this.#ask(
          `ready ${machine.name}`,
          this.#cluster.call('readyMachine', { params: { machine: machine.name } }),
        )
      case 6:
        return this.#killed(machine)
      case 7:
        return this.#controllerKilled()
      case 8:
        this.#tell(`the line of ${machine.name}`)
        return machine.line.set({
          state: this.#pick(['up', 'up', 'cut', 'silent'] as const),
          delayMs: this.#pick([0, 5, 200, 1_500]),
          losesAnswers: this.#pick([0, 0.3]),
          repeats: this.#pick([0, 0.3]),
        })
      case 9: {
        const [spec] = machine.running()
        this.#tell(`${spec?.id ?? 'nothing'} dies`)
        if (spec) machine.supervisor.die(spec.id, { code: 1 })
        return
      }
      case 10: {
        const spec = this.#pick([...machine.running(), undefined])
        this.#tell(`${spec?.id ?? 'nothing'} is deaf`)
        if (spec) machine.deafen(spec.id)
        return
      }
      case 11:
        this.#tell(`the disk of ${machine.name}`)
        machine.files.isFull = this.#chance(0.5)
        return void (machine.cache.isFull = machine.files.isFull)
      case 12:
        this.#tell('the clock jumps')
        return this.#jump(this.#pick([-3_600_000, 3_600_000, 5_000]))
      case 13:
        this.#tell('everything stands still')
        return this.#cluster.clock.stall(this.#pick([1_000, 5_000, 60_000]))
      default:
        return this.#pass(this.#pick([50, 500, 3_000, 15_000, 60_000]))
    }
  }

  async #change(): Promise<void> {
    const service = this.#pick(services)
    const kind = this.#pick([
      'deploy',
      'deploy',
      'deploy',
      'deploy',
      'rollback',
      'restart',
      'stop',
      'start',
      'remove',
    ] as const)
    let release: string | null = null
    if (kind === 'deploy') {
      const name = `${(++this.#releases).toString(16)}e`
      this.#fates.set(releaseOf(name), this.#pick(behaviours))
      release = await this.#cluster.publish(name, this.#definition(service)).catch(() => null)
      if (release === null) return
    }
    const how = { kind, allowOutage: this.#chance(0.2), removeData: this.#chance(0.5) }
    return this.#ask(`${kind} ${service}`, this.#cluster.start(service, release, how))
  }

  #definition(service: string): Partial<Definition> {
    return {
      service,
      prepare: this.#chance(0.2) ? ['./migrate'] : null,
      instances: this.#pick([1, 1, 1, 2, 3]),
      routes: [{ host: `${service}.example`, path: '/' }],
      rollout: { strategy: this.#chance(0.3) ? 'replace' : 'overlap', drainMs: 2_000 },
    }
  }

  async #killed(machine: Machine): Promise<void> {
    const how = this.#pick(['agent', 'agent', 'power', 'disk'])
    this.#tell(`${machine.name} loses its ${how}`)
    if (how === 'agent') machine.killAgent()
    else machine.losePower()
    if (how === 'disk') {
      // A machine without its disk numbers its starts by the clock alone, so a clock that is behind would make it mute.
      this.#jump(Math.max(0, -this.#offset))
      machine.loseDisk()
    }
    await this.#pass(this.#pick([0, 500, 20_000]))
    // The next agent may be of another version.
    machine.line.takesChanges = this.#chance(0.8)
    await this.#cluster.wait(machine.startAgent())
  }

  #jump(ms: number): void {
    this.#offset += ms
    this.#cluster.clock.jump(ms)
  }

  async #controllerKilled(): Promise<void> {
    this.#tell('the controller is killed')
    this.#cluster.killController()
    this.#isControllerUp = false
    await this.#pass(this.#pick([0, 500, 20_000]))
    // The next controller may be of another version.
    this.#cluster.takesChanges = this.#chance(0.8)
    await this.#cluster.startController()
    this.#isControllerUp = true
  }

  async #heal(): Promise<void> {
    this.#tell('everything is well again')
    for (const machine of this.#cluster.machines.values()) {
      machine.line.set({ state: 'up', delayMs: 5, losesAnswers: 0, repeats: 0 })
      machine.files.isFull = false
      machine.cache.isFull = false
    }
    await this.#pass(60_000)
    for (const { name } of this.#cluster.machines.values()) {
      await this.#ask(`ready ${name}`, this.#cluster.call('readyMachine', { params: { machine: name } }))
    }
    const busy = (): boolean =>
      Object.values(this.#cluster.controller.state.rollouts).some(({ stage }) => stage !== 'finished')
    await this.#cluster.until('the end of every rollout', () => !busy(), 3_600_000)
    await this.#pass(120_000)
  }

  /** A good release reaches every machine, whatever happened before; and nothing else is left anywhere. */
  async #mustRest(): Promise<void> {
    for (const service of services) {
      const name = `${(++this.#releases).toString(16)}e`
      const finished = await this.#cluster.push(
        name,
        { service, instances: 2, routes: [{ host: `${service}.example`, path: '/' }] },
        { allowOutage: true },
      )
      if (finished.state !== 'completed')
        throw new Error(`a good release of ${service} was ${finished.state}: ${finished.reason}`)
      await this.#pass(60_000)
      for (const machine of this.#cluster.machines.values()) {
        const runs = machine.running(service).map(({ id, release }) => `${id} ${release}`)
        const known = this.#cluster.instances(service).filter((one) => one.machine === machine.name)
        const wanted = known.map(({ id, release }) => `${id} ${release}`)
        if (known.length !== 2 || known.some((one) => one.state !== 'ready' || one.release !== releaseOf(name)))
          throw new Error(`${service} is not ready on ${machine.name}: ${JSON.stringify(known)}`)
        if (!isDeepStrictEqual(runs.toSorted(), wanted.toSorted()))
          throw new Error(`${machine.name} runs ${runs.join()} and should run ${wanted.join()}`)
        const plan = machine.balancer.plan?.routes.find((one) => one.service === service)
        if (plan?.targets.filter(({ state }) => state === 'active').length !== 2)
          throw new Error(`${machine.name} does not serve ${service}: ${JSON.stringify(plan)}`)
      }
    }
    const problems = this.#cluster.status().machines.flatMap((machine) => machine.problems)
    if (problems.length > 0) throw new Error(`problems stay: ${problems.join()}`)
  }

  /** Every event keeps the invariants of decisions and follows from the right one, and the log folds to the state of the controller. */
  #checkLog(): void {
    let state = initialWorld(this.#cluster.controller.config)
    const chains = new Map<string, number>()
    for (const event of this.#cluster.events()) {
      const cause = event.by === 'test' ? undefined : (causeOf(chains, event) ?? undefined)
      if (event.cause !== cause) throw new Error(`it follows from ${cause}: ${JSON.stringify(event)}`)
      growChains(chains, event)
      const after = evolve(state, event)
      const wrong = wrongWith(state, event, after)
      if (wrong.length > 0) throw new Error(`${wrong.join('; ')} at ${JSON.stringify(event)}`)
      // Much of a desired state is remembered from the one before; nothing is known about a copy.
      const copy = structuredClone(after)
      for (const machine of this.#cluster.machines.keys()) {
        if (!isDeepStrictEqual(desiredState(after, machine), desiredState(copy, machine)))
          throw new Error(`the desired state of ${machine} is not that of this state at ${JSON.stringify(event)}`)
      }
      state = after
    }
    if (!isDeepStrictEqual(state, this.#cluster.controller.state)) throw new Error('the log folds to another state')
  }

  /** A refusal is an answer too. */
  async #ask(what: string, answer: Promise<unknown>): Promise<void> {
    const refusal = await answer.then(
      () => '',
      (error: unknown) => `: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`,
    )
    this.#tell(`${what}${refusal}`)
    if (refusal.startsWith(': Error') || refusal.startsWith(': TypeError')) throw new Error(`${what}${refusal}`)
  }

  #pass(ms: number): Promise<void> {
    return this.#cluster.clock.advance(ms)
  }

  #tell(what: string): void {
    this.told.push(
      `${this.#cluster.clock.monotonic().toFixed(0)} ms${this.#isControllerUp ? '' : ' (no controller)'}: ${what}`,
    )
  }

  #chance(share: number): boolean {
    return this.#cluster.random() < share
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T // never empty
  }
}
