import type { Event } from '../events/event.ts'
import { applyCluster } from './applyCluster.ts'
import { addressFacts } from './addressFacts.ts'
import { advance, applyAll } from './advance.ts'
import { reversed } from './advanceRollout.ts'
import type { Command, Decision, Refusal } from './command.ts'
import { timeMayDecide } from './deadlines.ts'
import { keptReleases } from './desiredState.ts'
import type { Observed } from './observed.ts'
import { reportFacts } from './reportFacts.ts'
import { refuse } from './refuse.ts'
import {
  noSuchMachine,
  refuseBusy,
  refuseOutage,
  resumeMaintenance,
  startMaintenance,
  stopMaintenance,
} from './startMaintenance.ts'
import { startRollout } from './startRollout.ts'
import type { State } from './state.ts'

type DrainMachine = Extract<Command, { type: 'DrainMachine' }>

/**
 * Decides one command against everything known: the state folded from the log, and the machines' newest reports
 * (`observed`, which already contains this command's report). Returns the events to append, nothing to do, or the
 * reason for a refusal. Pure: the same arguments give the same answer.
 */
export function decide(state: State, observed: Observed, command: Command): Decision {
  const direct = decideCommand(state, observed, command)
  if (direct.type === 'refused') return direct
  const events = direct.type === 'accepted' ? direct.events : []
  const now = timeMayDecide(state, observed, command.at) ? command.at : null
  const moment = { observed, at: command.at, now: command.type === 'TimePassed' ? now : null }
  const following = advance(applyAll(state, events, command.at), moment)
  if (direct.type === 'nothing' && following.length === 0) return direct
  return { type: 'accepted', events: [...events, ...following] }
}

const accepted = (...events: Event[]): Decision => ({ type: 'accepted', events })

function decideCommand(state: State, observed: Observed, command: Command): Decision {
  switch (command.type) {
    case 'TakeLeadership': {
      const term = (state.terms.at(-1)?.term ?? 0) + 1
      return accepted({ type: 'LeadershipTaken', data: { term, id: command.id, version: command.version } })
    }
    case 'RecoverLog': {
      const { term, id, version, held } = command
      return accepted({ type: 'LogRecovered', data: { term, id, version, held } })
    }
    case 'RestartClock':
      return accepted({ type: 'ClockRestarted', data: { reason: command.reason } })
    case 'TimePassed':
      return accepted()
    case 'RecordReport':
      return accepted(...reportFacts(state, command.report), ...addressFacts(state, observed, command.report))
    case 'PublishRelease': {
      const { service, release, definition, bytes } = command
      if (release in state.releases) return { type: 'nothing' }
      return accepted({ type: 'ReleasePublished', data: { service, release, definition, bytes } })
    }
    case 'CollectReleases':
      return collectReleases(state, command.releases)
    case 'StartRollout':
      return startRollout(state, observed, command)
    case 'AbortRollout':
      return abortRollout(state, command.rollout)
    case 'DrainMachine':
      return drainMachine(state, observed, command)
    case 'ReadyMachine':
      return readyMachine(state, command.machine)
    case 'StartMaintenance':
      return startMaintenance(state, observed, command)
    case 'ResumeMaintenance':
      return resumeMaintenance(state, observed, command.force)
    case 'StopMaintenance':
      return stopMaintenance(state)
    case 'ApplyCluster':
      return applyCluster(state, command.cluster, command.force)
  }
}

/** Releases that came into use since the collection was planned stay. */
function collectReleases(state: State, asked: string[]): Decision {
  const kept = new Set(keptReleases(state))
  const releases = asked.filter((release) => release in state.releases && !kept.has(release))
  return releases.length === 0 ? { type: 'nothing' } : accepted({ type: 'ReleasesCollected', data: { releases } })
}

function abortRollout(state: State, id: string): Decision {
  const rollout = state.rollouts[id]
  if (!rollout) return refuse('E_NO_SUCH_ROLLOUT', `there is no rollout ${id} in progress`, id, 'tandem rollouts')
  if (rollout.stage === 'finished') return over(id, 'has ended')
  if (rollout.stage === 'returning') return over(id, 'is already going back')
  return accepted(reversed(rollout, 'aborted by hand', null, null, true))
}

const over = (id: string, how: string): Refusal =>
  refuse('E_ROLLOUT_OVER', `rollout ${id} ${how}`, id, `tandem rollout show ${id}`)

function drainMachine(
  state: State,
  observed: Observed,
  { machine: name, force, stop = false }: DrainMachine,
): Decision {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  const isSame = machine.traffic !== 'ready' && (machine.runsNothing || !stop)
  if (isSame) return { type: 'nothing' }
  const busy = refuseBusy(state, name)
  if (busy) return busy
  const last = force ? null : refuseOutage(state, observed, [name], stop)
  return last ?? accepted({ type: 'MachineDrainStarted', data: { machine: name, ...(stop ? { stop } : {}), force } })
}

function readyMachine(state: State, name: string): Decision {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  if (machine.traffic === 'ready') return { type: 'nothing' }
  return accepted({ type: 'MachineReadied', data: { machine: name } })
}
