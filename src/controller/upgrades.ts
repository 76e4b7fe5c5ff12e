import type { Event, RecordedEvent } from '../events/event.ts'
import type { DesiredProgram } from '../protocol/programState.ts'
import { timeMayDecide } from '../rollout/deadlines.ts'
import { isRunning } from '../rollout/maintenanceState.ts'
import { hasReported, type Observed } from '../rollout/observed.ts'
import { machineBusy } from '../rollout/serviceView.ts'
import type { Machine, State } from '../rollout/state.ts'
import { advanceUpgrade, upgradeDeadline } from '../upgrade/advanceUpgrade.ts'
import { desiredProgram } from '../upgrade/desiredProgram.ts'
import type { ObservedPart, Surroundings } from '../upgrade/observedPart.ts'
import { startUpgrade, type StartUpgrade } from '../upgrade/startUpgrade.ts'
import { controllerPart, evolveUpgrade, initialUpgradeState, type UpgradeState } from '../upgrade/state.ts'
import type { ProgramKeeper } from '../versions/programKeeper.ts'
import { refusalError } from './refusalError.ts'

/** Limit of rounds; more would mean a decision that does not settle. */
const mostRounds = 1_000

/** The properties of the controller that upgrades need. */
interface Decider {
  readonly state: State
  readonly observed: Observed
  readonly version: string
}

/**
 * Upgrades of Tandem itself: their state, folded from the log, and the decisions that follow from the machines'
 * reports.
 */
export class Upgrades {
  #controller: Decider
  #state = initialUpgradeState()
  #keeper: ProgramKeeper | null = null

  constructor(controller: Decider) {
    this.#controller = controller
  }

  get state(): UpgradeState {
    return this.#state
  }

  /** Sets the keeper of the controller's own program. */
  keep(keeper: ProgramKeeper | null): void {
    this.#keeper = keeper
  }

  fold(event: RecordedEvent): void {
    this.#state = evolveUpgrade(this.#state, event)
  }

  deadline(): number {
    return upgradeDeadline(this.#state)
  }

  desired(machine: string): DesiredProgram | null {
    return desiredProgram(this.#state, machine)
  }

  /** Throws the refusal. Returns the events to record. */
  start(start: StartUpgrade): Event[] {
    const decision = startUpgrade(this.#state, this.#around(null), start)
    if (decision.type === 'refused') throw refusalError(decision)
    return decision.type === 'accepted' ? decision.events : []
  }

  /**
   * Records every event that follows now. Called with each report, and when time has passed; only the second passes
   * `now`.
   */
  async advance(record: (events: Event[]) => Promise<unknown>, now: number | null): Promise<void> {
    if (this.#controller.state.terms.length === 0) return
    for (let round = 0; ; round++) {
      const events = advanceUpgrade(this.#state, this.#around(now))
      if (events.length === 0) break
      if (round > mostRounds) throw new Error(`an upgrade does not settle: ${JSON.stringify(events)}`)
      await record(events)
    }
    this.#keeper?.want(this.desired(controllerPart))
    const { state, observed } = this.#controller
    const isWell = Object.values(state.machines).every(({ name, lost }) => lost || hasReported(state, observed, name))
    if (isWell) this.#keeper?.confirm()
  }

  #around(now: number | null): Surroundings {
    const { state, observed, version } = this.#controller
    const own: ObservedPart = {
      ...{ part: controllerPart, version, program: this.#keeper?.report() ?? null, isLost: false, hasReported: true },
      ...{ boot: state.terms.at(-1)?.term ?? 0, applied: Number.POSITIVE_INFINITY, instances: [] },
    }
    return {
      // Sorted by name, not in the order in which machines happened to join.
      parts: [...sortedNames(state.machines).flatMap((name) => this.#partOf(state.machines[name])), own],
      isBusy: machineBusy(state) !== undefined || isRunning(state.maintenance),
      now: now !== null && timeMayDecide(state, observed, now) ? now : null,
    }
  }

  #partOf(machine: Machine | undefined): ObservedPart[] {
    if (!machine) return []
    const { name, lost } = machine
    const { state, observed } = this.#controller
    const report = observed[name]?.report
    const part = {
      part: name,
      isLost: lost,
      hasReported: hasReported(state, observed, name),
      version: report?.version ?? '',
      program: report?.program ?? null,
      boot: report?.boot ?? 0,
      applied: report?.seen?.position ?? 0,
      instances: (report?.instances ?? []).map(({ id, state }) => ({
        id,
        isReady: state === 'ready' || state === 'draining',
      })),
    }
    return [part]
  }
}

const sortedNames = (of: Record<string, unknown>): string[] => Object.keys(of).sort()
