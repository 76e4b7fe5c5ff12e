import { prepareInstance } from '../definitions/names.ts'
import type { EventData, RecordedEvent } from '../events/event.ts'
import type { Phase, Pins, RolloutKind } from '../events/rolloutEvents.ts'

/** A rollout as users see it, with timing per machine and phase. Times are ISO 8601. */
export interface RolloutView {
  id: string
  service: string
  kind: RolloutKind
  release: string
  previous: string | null
  state: 'running' | 'reverting' | 'completed' | 'reverted' | 'aborted'
  reason: string | null
  /** The instance whose failure reversed the rollout. */
  failedInstance: string | null
  startedAt: string
  finishedAt: string | null
  /** A separate field and not one of `phases`: a command of version 0.1.0 refuses an answer with an unknown phase. */
  prepare: PrepareView | null
  /** The things that its instances get besides the release; left out: none. */
  pins?: Pins
  machines: MachineView[]
}

interface PrepareView {
  machine: string
  instance: string
  startedAt: string
  finishedAt: string | null
}

interface MachineView {
  machine: string
  state: 'waiting' | 'running' | 'done' | 'reverted' | 'untouched' | 'lost' | 'behind' | 'failed'
  phases: PhaseView[]
}

interface PhaseView {
  phase: Phase
  startedAt: string
  finishedAt: string | null
}

/** Number of rollouts kept for reading; older ones are in the event log. */
const kept = 1_000

interface HistorySnapshot {
  /** Ids of the rollouts that can be read. */
  kept: string[]
  rollouts: RolloutView[]
  last: [service: string, rollout: string][]
  starting: [instance: string, rollout: string, machine: string][]
}

const nothing: HistorySnapshot = { kept: [], rollouts: [], last: [], starting: [] }

/** The history of rollouts, folded from events; the newest last. */
export class RolloutHistory {
  #rollouts = new Map<string, RolloutView>()
  /** The last rollout seen for each service: events that name only the service belong to it. */
  #last = new Map<string, RolloutView>()
  /** Instances that were named and whose process has not started yet. */
  #starting = new Map<string, { rollout: RolloutView; part: MachineView }>()

  /** Continues from a `snapshot`. */
  constructor({ kept: ids, rollouts, last, starting }: HistorySnapshot = nothing) {
    const views = new Map(rollouts.map((view) => [view.id, view]))
    for (const id of ids) this.#rollouts.set(id, need(views, id))
    for (const [service, id] of last) this.#last.set(service, need(views, id))
    for (const [instance, id, machine] of starting) {
      const rollout = need(views, id)
      const part = rollout.machines.find((one) => one.machine === machine)
      if (part) this.#starting.set(instance, { rollout, part })
    }
  }

  /** Everything that is known, in JSON's types: each rollout once, the others by id. */
  snapshot(): HistorySnapshot {
    const starting = [...this.#starting]
    const views = [this.#rollouts.values(), this.#last.values(), starting.map(([, { rollout }]) => rollout)]
    return {
      kept: [...this.#rollouts.keys()],
      rollouts: [...new Set(views.flatMap((some) => [...some]))],
      last: [...this.#last].map(([service, { id }]) => [service, id]),
      starting: starting.map(([instance, { rollout, part }]) => [instance, rollout.id, part.machine]),
    }
  }

  all(service: string | null = null): RolloutView[] {
    return [...this.#rollouts.values()].filter((rollout) => service === null || rollout.service === service)
  }

  get(id: string): RolloutView | undefined {
    return this.#rollouts.get(id)
  }

  fold(event: RecordedEvent): void {
    const { at } = event
    switch (event.type) {
      case 'RolloutStarted':
        return this.#started(event.data, at)
      case 'ReleaseFetched':
        return this.#endPhase(this.#rollouts.get(event.data.rollout), event.data.machine, at)
      case 'PrepareStarted':
        return this.#prepares(event.data, at)
      case 'PrepareFinished':
        return endPrepare(this.#rollouts.get(event.data.rollout), at)
      case 'MachinePassedOver':
        return this.#set(this.#rollouts.get(event.data.rollout), event.data.machine, 'lost', at)
      case 'TurnStarted':
        if (event.data.direction === 'catchUp') return
        return this.#set(this.#rollouts.get(event.data.rollout), event.data.machine, 'running', null)
      case 'StepStarted':
        return this.#step(event.data, at)
      case 'InstanceStarted':
        return this.#processStarted(event.data, at)
      case 'InstanceStopped':
        this.#starting.delete(event.data.instance)
        return
      case 'TurnFinished':
        return this.#turnFinished(event.data, at)
      case 'RolloutReversed':
        return this.#reversed(event.data, at)
      case 'RolloutFinished': {
        const rollout = this.#rollouts.get(event.data.rollout)
        if (rollout) Object.assign(rollout, { state: event.data.state, finishedAt: at })
        return
      }
      case 'LogRecovered':
        for (const rollout of this.#rollouts.values()) if (rollout.finishedAt === null) abandon(rollout, at)
        this.#starting.clear()
        return
      default:
        return
    }
  }

  #started(data: EventData['RolloutStarted'], at: string): void {
    const { rollout: id, service, kind, release, previous, machines, pins } = data
    const fetches = kind !== 'stop' && kind !== 'remove'
    const view: RolloutView = {
      ...{ id, service, kind, release, previous, state: 'running', reason: null, failedInstance: null },
      ...{ startedAt: at, finishedAt: null, prepare: null, ...(pins ? { pins } : {}) },
      machines: machines.map((machine) => ({
        machine,
        state: 'waiting',
        phases: fetches ? [{ phase: 'fetch', startedAt: at, finishedAt: null }] : [],
      })),
    }
    this.#rollouts.set(id, view)
    this.#last.set(service, view)
    for (const old of this.#rollouts.keys()) {
      if (this.#rollouts.size <= kept) break
      this.#rollouts.delete(old)
    }
  }

  #prepares({ rollout: id, machine }: EventData['PrepareStarted'], at: string): void {
    const rollout = this.#rollouts.get(id)
    if (!rollout) return
    const instance = prepareInstance(rollout.service, id)
    rollout.prepare = { machine, instance, startedAt: at, finishedAt: null }
  }

  #step({ service, machine, step, start }: EventData['StepStarted'], at: string): void {
    const rollout = this.#last.get(service)
    const part = rollout?.machines.find((one) => one.machine === machine)
    if (!rollout || !part) return
    endOpen(part, at)
    for (const { id } of start) this.#starting.set(id, { rollout, part })
    // Unforwarding at the peers is the first half of the switch.
    const phase: Phase = step === 'unforward' ? 'switch' : step
    part.phases.push({ phase, startedAt: at, finishedAt: null })
  }

  /**
   * `start` ends and `probe` begins when the process starts; `probe` ends with the last ready instance, at the next
   * step.
   */
  #processStarted({ instance }: { instance: string }, at: string): void {
    const part = this.#starting.get(instance)?.part
    this.#starting.delete(instance)
    const open = part?.phases.at(-1)
    if (!part || open?.phase !== 'start' || open.finishedAt !== null) return
    open.finishedAt = at
    part.phases.push({ phase: 'probe', startedAt: at, finishedAt: null })
  }

  #turnFinished({ rollout: id, machine, direction, outcome }: EventData['TurnFinished'], at: string): void {
    const rollout = this.#rollouts.get(id)
    switch (direction) {
      case 'forward':
        return this.#set(rollout, machine, outcome, at)
      case 'back': {
        const behind = rollout?.machines.find((one) => one.machine === machine)?.state === 'behind'
        return this.#set(rollout, machine, behind ? 'behind' : outcome === 'done' ? 'reverted' : outcome, at)
      }
      case 'catchUp': {
        const done = rollout?.state === 'completed' ? 'done' : 'reverted'
        if (outcome !== 'lost') this.#set(rollout, machine, outcome === 'done' ? done : 'behind', at)
        return
      }
    }
  }

  #reversed({ rollout: id, reason, instance }: EventData['RolloutReversed'], at: string): void {
    const rollout = this.#rollouts.get(id)
    if (!rollout) return
    Object.assign(rollout, { state: 'reverting', reason, failedInstance: instance })
    endPrepare(rollout, at)
    for (const part of rollout.machines) {
      if (part.state === 'waiting') part.state = 'untouched'
      endOpen(part, at)
    }
  }

  #set(rollout: RolloutView | undefined, machine: string, state: MachineView['state'], endedAt: string | null): void {
    const part = rollout?.machines.find((one) => one.machine === machine)
    if (!part) return
    part.state = state
    if (endedAt !== null) endOpen(part, endedAt)
  }

  #endPhase(rollout: RolloutView | undefined, machine: string, at: string): void {
    const part = rollout?.machines.find((one) => one.machine === machine)
    if (part) endOpen(part, at)
  }
}

function need(views: ReadonlyMap<string, RolloutView>, id: string): RolloutView {
  const view = views.get(id)
  if (!view) throw new Error(`the snapshot names rollout ${id} and does not hold it`)
  return view
}

function endOpen(part: MachineView, at: string): void {
  for (const phase of part.phases) phase.finishedAt ??= at
}

function endPrepare(rollout: RolloutView | undefined, at: string): void {
  if (rollout?.prepare) rollout.prepare.finishedAt ??= at
}

function abandon(rollout: RolloutView, at: string): void {
  endPrepare(rollout, at)
  for (const part of rollout.machines) endOpen(part, at)
  Object.assign(rollout, { state: 'aborted', reason: 'the event log was recovered', finishedAt: at })
}
