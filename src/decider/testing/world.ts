import type { Definition } from '../../definitions/definition.ts'
import type { Event, RecordedEvent } from '../../events/event.ts'
import type { Config } from '../../decision/base.ts'
import type { ControllerSelf } from '../../decision/moment.ts'
import { observe, type Observed } from '../../decision/observed.ts'
import type { Decision } from '../../decision/refuse.ts'
import type { Command } from '../rooms.ts'
import { decide, nextDeadline } from '../decide.ts'
import { desiredState } from '../desiredState.ts'
import { evolve } from '../evolve.ts'
import { initialWorld, type World as State } from '../rooms.ts'
import { FakeMachine } from './fakeMachine.ts'

type Timeless<C> = C extends unknown ? Omit<C, 'at'> : never
export type Ask = Timeless<Command>

/** Sees each event of a decision between the state before and the state after it: here invariants are checked. */
export type Watch = (before: State, event: RecordedEvent, after: State) => void

const roundsToRest = 300

/**
 * A controller's shell and its machines in memory, for tests of decisions; time stands still until the test moves it.
 */
export class World {
  readonly config: Config
  readonly watch: Watch
  state: State
  observed: Observed = {}
  log: RecordedEvent[] = []
  now = 1_700_000_000_000
  readonly machines = new Map<string, FakeMachine>()
  private ids = 0

  constructor(names: string[], watch: Watch = () => undefined, config: Config = { cluster: 'test', laptop: true }) {
    this.config = config
    this.watch = watch
    this.state = initialWorld(config)
    this.lead()
    for (const name of names) this.join(name)
  }

  join(name: string): void {
    this.machines.set(name, new FakeMachine(name))
    this.hear(name)
  }

  machine(name: string): FakeMachine {
    const machine = this.machines.get(name)
    if (!machine) throw new Error(`the test has no machine ${name}`)
    return machine
  }

  nextId(): string {
    return `x${++this.ids}`
  }

  send(ask: Ask): Decision {
    const command: Command = { ...ask, at: this.now }
    const decision = decide(this.state, this.known(), command)
    if (decision.type === 'accepted') decision.events.forEach((event) => this.append(event))
    return decision
  }

  append(event: Event): void {
    const recorded = { ...event, position: this.state.position + 1, at: new Date(this.now).toISOString() }
    const after = evolve(this.state, recorded)
    this.watch(this.state, recorded, after)
    this.state = after
    this.log.push(recorded)
  }

  publish(release: string, definition: Definition): void {
    this.send({ type: 'PublishRelease', service: definition.service, release, definition, bytes: 1 })
  }

  /** Starts a controller (again): it knows the log and nothing else. */
  lead(): void {
    this.observed = {}
    this.state = this.refold()
    this.send({ type: 'TakeLeadership', id: `term-${this.log.length}`, version: 'test' })
  }

  refold(log = this.log): State {
    return log.reduce(evolve, initialWorld(this.config))
  }

  /** The machine's report arrives; `false` when it is stale. */
  hear(name: string, report = this.machine(name).report()): boolean {
    const observed = observe(this.state, this.observed, report, this.now)
    if (!observed) return false
    this.observed = observed
    this.send({ type: 'RecordReport', report })
    return true
  }

  /** Sends the machine its desired state, lets it work a little, and takes its report. */
  round(name: string): void {
    const machine = this.machine(name)
    if (!machine.alive) return
    const { terms, position } = this.state
    machine.receive(desiredState(this.state, name), position)
    machine.seen = terms.slice(-1).map(({ term, id }) => ({ term, termId: id, position }))[0] ?? null
    machine.work()
    this.hear(name)
  }

  /** Lets all machines work and report until nothing more follows (or `until` matches an event); time stands still. */
  settle(until: (event: RecordedEvent) => boolean = () => false): boolean {
    let quiet = 0
    for (let round = 0; quiet < 4; round++) {
      if (round > roundsToRest) throw new Error('the machines do not settle')
      const from = this.log.length
      for (const name of this.machines.keys()) {
        this.round(name)
        if (this.log.slice(from).some(until)) return true
      }
      quiet = this.log.length === from ? quiet + 1 : 0
    }
    return false
  }

  /** Lets time pass; machines that are alive report all the while. */
  pass(ms: number, step = 1_000): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now = Math.min(end, this.now + step)
      for (const machine of this.machines.values()) if (machine.alive) this.round(machine.name)
      this.send({ type: 'TimePassed' })
    }
  }

  deadline(): number {
    return nextDeadline(this.state, this.known())
  }

  private known(): { observed: Observed; self: ControllerSelf } {
    return { observed: this.observed, self: { version: 'test', program: null, awaitsMachines: false } }
  }
}
