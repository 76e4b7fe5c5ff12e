import { prepareInstance } from '../definitions/names.ts'
import type { Event } from '../events/event.ts'
import type { Target } from '../events/rolloutEvents.ts'
import type { Moment } from '../decision/moment.ts'
import { countsFrom } from '../decision/base.ts'
import { limits } from '../decision/limits.ts'
import type { Observed } from '../decision/observed.ts'
import { backTarget } from './backTarget.ts'
import { holdsNewTurns } from '../decision/moment.ts'
import { definitionOf, instancesOf, isBroken, isReachable } from '../fleet/serving.ts'
import { featureReadiness } from './features.ts'
import { forwardTarget } from './serviceView.ts'
import { turnKey } from '../fleet/state.ts'
import type { Rollout, State } from './state.ts'

/** The rollout's next event between the turns. */
export function advanceRollout(state: State, rollout: Rollout, moment: Moment): Event[] {
  const broken = failedForwardInstance(state, rollout)
  if (broken) return [broken]
  switch (rollout.stage) {
    case 'fetching':
      return passOver(state, rollout) ?? fetching(state, rollout, moment)
    case 'preparing':
      return preparing(state, rollout, moment)
    case 'turns':
      return passOver(state, rollout) ?? turns(state, rollout, moment)
    case 'returning':
      return returning(state, rollout, moment)
    case 'finished':
      return []
  }
}

/**
 * A new instance that fails after its machine's turn reverses the rollout. During the turn, the turn decides. An
 * instance that a lost machine had begun to start is handled when that machine catches up.
 */
function failedForwardInstance(state: State, rollout: Rollout): Event | null {
  if (rollout.stage !== 'turns') return null
  const failed = instancesOf(state, rollout.service).find(
    (instance) =>
      instance.generation === rollout.id && isBroken(instance) && rollout.machines[instance.machine]?.state === 'done',
  )
  if (!failed) return null
  const reason = `instance ${failed.id} ${failed.reason ?? 'failed'} after it was ready`
  return reversed(rollout, reason, failed.machine, failed.id)
}

function passOver(state: State, rollout: Rollout): Event[] | null {
  const lost = rollout.order.find(
    (machine) => rollout.machines[machine]?.state === 'waiting' && !isReachable(state, machine),
  )
  if (!lost) return null
  return [{ type: 'MachinePassedOver', data: { rollout: rollout.id, machine: lost, reason: 'the machine is lost' } }]
}

function fetching(state: State, rollout: Rollout, moment: Moment): Event[] {
  const { observed, now } = moment
  const waiting = rollout.order.filter((machine) => rollout.machines[machine]?.state === 'waiting')
  if (waiting.length === 0 && rollout.order.length > 0) return [reversed(rollout, 'every machine is lost', null)]
  const fetchers = fetchesFor(state, rollout, observed)
  for (const { machine, failure } of fetchers)
    if (failure !== null) return [reversed(rollout, `machine ${machine} ${failure}`, machine)]
  const fetched = fetchers.find(({ machine, lacks }) => lacks === null && !rollout.machines[machine]?.fetched)
  if (fetched) return [factOf('ReleaseFetched', rollout, fetched.machine, observed)]
  const late = lateOne(fetchers)
  if (late?.lacks) {
    if (now === null || now < lackDeadline(state, rollout, late.lacks)) return []
    return [reversed(rollout, `machine ${late.machine} ${tooLate[late.lacks]}`, late.machine)]
  }
  const prepares = rollout.kind === 'deploy' || rollout.kind === 'rollback'
  const machine = fetchers[0]?.machine ?? waiting[0]
  if (prepares && machine && definitionOf(state, rollout.release).prepare) {
    return holdsNewTurns(moment) ? [] : [{ type: 'PrepareStarted', data: { rollout: rollout.id, machine } }]
  }
  return beginTurn(state, rollout, moment)
}

/** The part that a machine lacks before its turn: the release, or something that a feature makes of it. */
type Lack = 'release' | 'files'

const tooLate: Record<Lack, string> = {
  release: 'did not fetch the release in time',
  files: 'did not have the files of its instances in time',
}

interface Fetch {
  machine: string
  lacks: Lack | null
  /** Why the machine cannot have everything; follows "machine a". */
  failure: string | null
}

/** The machines that are to run the release, as far as they wait for their turn. */
function fetchesFor(state: State, rollout: Rollout, observed: Observed): Fetch[] {
  const { id: generation, release } = rollout
  return rollout.order.flatMap((machine): Fetch[] => {
    const part = rollout.machines[machine]
    if (part?.state !== 'waiting' || !forwardTarget(state, rollout, machine)) return []
    const report = observed[machine]?.report
    const failed = report?.fetchFailures.find((one) => one.release === release)
    if (failed) return [{ machine, lacks: 'release', failure: `could not fetch the release: ${failed.message}` }]
    if (!part.fetched && report?.fetched.includes(release) !== true)
      return [{ machine, lacks: 'release', failure: null }]
    const is = featureReadiness(state, observed, { machine, generation, release })
    if (typeof is === 'object') return [{ machine, lacks: 'files', failure: is.failure }]
    return [{ machine, lacks: is === 'ready' ? null : 'files', failure: null }]
  })
}

/** The machine whose deadline passes first. */
const lateOne = (all: readonly Fetch[]): Fetch | undefined =>
  all.find(({ lacks }) => lacks === 'release') ?? all.find(({ lacks }) => lacks === 'files')

const lackDeadline = (state: State, { stageSince }: Rollout, lacks: Lack): number =>
  countsFrom(state, stageSince) + limits.fetchMs + (lacks === 'files' ? limits.renderMs : 0)

/** When a rollout that waits for machines is given up; infinite: it waits for none. */
export function fetchDeadline(state: State, rollout: Rollout, observed: Observed): number {
  const late = lateOne(fetchesFor(state, rollout, observed))
  return late?.lacks ? lackDeadline(state, rollout, late.lacks) : Number.POSITIVE_INFINITY
}

function factOf(
  type: 'ReleaseFetched' | 'PrepareFinished',
  rollout: Rollout,
  machine: string,
  observed: Observed,
): Event {
  const { boot = 0, seq = 0 } = observed[machine]?.report ?? {}
  return { type, data: { rollout: rollout.id, machine, mark: { boot, seq } } }
}

function preparing(state: State, rollout: Rollout, { observed, now }: Moment): Event[] {
  const machine = rollout.prepare?.machine ?? ''
  if (!isReachable(state, machine)) return [reversed(rollout, `machine ${machine} was lost while it prepared`, machine)]
  const result = observed[machine]?.report.prepared.find((prepared) => prepared.rollout === rollout.id)
  if (result?.ok) return [factOf('PrepareFinished', rollout, machine, observed)]
  if (result)
    return [
      reversed(
        rollout,
        `prepare failed on machine ${machine}: ${result.reason}`,
        machine,
        prepareInstance(rollout.service, rollout.id),
      ),
    ]
  if (now === null || now < prepareDeadline(state, rollout)) return []
  return [reversed(rollout, `prepare did not end within ${limits.prepareMs / 60_000} minutes`, machine)]
}

function turns(state: State, rollout: Rollout, moment: Moment): Event[] {
  const parts = rollout.order.map((machine) => ({ machine, part: rollout.machines[machine] }))
  if (parts.some(({ part }) => part?.state === 'running')) return []
  const { failure } = rollout
  if (failure) return [reversed(rollout, failure.reason, failure.machine, failure.instance)]
  if (parts.some(({ part }) => part?.state === 'waiting')) return beginTurn(state, rollout, moment)
  if (parts.length > 0 && parts.every(({ part }) => part?.state === 'lost'))
    return [reversed(rollout, 'every machine is lost', null)]
  return finish(rollout, 'completed')
}

function beginTurn(state: State, rollout: Rollout, moment: Moment): Event[] {
  const machine = rollout.order.find((name) => rollout.machines[name]?.state === 'waiting')
  if (!machine || holdsNewTurns(moment)) return []
  return [turnStarted(rollout, machine, 'forward', forwardTarget(state, rollout, machine))]
}

/**
 * The failing machine goes back first, then the machines before it, the last one first; machines that had no turn are
 * not touched. Machines where the old release does not run come after the machines where it serves.
 */
function returning(state: State, rollout: Rollout, moment: Moment): Event[] {
  const touched = rollout.order.filter((machine) => {
    const part = rollout.machines[machine]?.state
    return part === 'running' || part === 'done' || part === 'failed'
  })
  const under = touched.some((machine) => state.turns[turnKey(rollout.service, machine)]?.direction === 'back')
  if (under) return []
  const left = touched.filter((machine) => !rollout.returned.includes(machine))
  const service = state.services[rollout.service]
  const target = (machine: string): Target | null => (service ? backTarget(state, service, machine) : null)
  const serving = left.filter((machine) => target(machine) !== null)
  const pool = serving.length > 0 ? serving : left
  const next = pool.find((machine) => machine === rollout.failedMachine) ?? pool.at(-1)
  if (!next) return finish(rollout, rollout.aborted ? 'aborted' : 'reverted')
  if (holdsNewTurns(moment)) return []
  return [turnStarted(rollout, next, 'back', target(next))]
}

function finish(rollout: Rollout, outcome: 'completed' | 'reverted' | 'aborted'): Event[] {
  const { id, service, kind, removeData, reason } = rollout
  const finished: Event = { type: 'RolloutFinished', data: { rollout: id, service, state: outcome, reason } }
  if (kind !== 'remove' || outcome !== 'completed') return [finished]
  return [finished, { type: 'ServiceRemoved', data: { service, data: removeData } }]
}

export function reversed(
  { id, service }: Rollout,
  reason: string,
  machine: string | null,
  instance: string | null = null,
  aborted = false,
): Event {
  return { type: 'RolloutReversed', data: { rollout: id, service, reason, machine, instance, aborted } }
}

function turnStarted(
  { id, service }: Rollout,
  machine: string,
  direction: 'forward' | 'back',
  target: Target | null,
): Event {
  return { type: 'TurnStarted', data: { rollout: id, service, machine, direction, target } }
}

export const prepareDeadline = (state: State, rollout: Rollout): number =>
  countsFrom(state, rollout.stageSince) + limits.prepareMs
