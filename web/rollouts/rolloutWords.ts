import type { RolloutView } from '../../src/api/views.ts'
import { shortRelease } from '../lib/numbers.ts'
import { span } from '../lib/time.ts'
import { isMove } from './history.ts'

type Machine = RolloutView['machines'][number]

/** `shop fe97886 → b4bddc5`, `shop restart`. */
export function titleOf(rollout: RolloutView): string {
  const { service, kind, release, previous } = rollout
  if (!isMove(rollout)) return `${service} ${kind}`
  return `${service} ${previous === null ? '' : `${shortRelease(previous)} → `}${shortRelease(release)}`
}

/** `running, 0:41`, `reverted after 58.3 s`. */
export function stateWords({ state, startedAt, finishedAt }: RolloutView, now: number): string {
  const from = Date.parse(startedAt)
  return finishedAt === null
    ? `${state}, ${span(now - from)}`
    : `${state} after ${duration(Date.parse(finishedAt) - from)}`
}

/** `0.82 s`, `58.3 s`, `12:05`. */
export function duration(ms: number): string {
  const s = Math.max(0, ms / 1_000)
  if (s < 10) return `${s.toFixed(2)} s`
  return s < 100 ? `${s.toFixed(1)} s` : span(ms)
}

const running = ({ phases }: Machine): string | undefined =>
  phases.findLast(({ finishedAt }) => finishedAt === null)?.phase

const doing: Record<string, string> = {
  fetch: 'fetches',
  start: 'starts',
  probe: 'is probed',
  switch: 'switches',
  drain: 'drains',
  stop: 'stops the old instances',
}

/** Says who changes now and who comes next, as `a drains, then b`; for one that is over its times are said elsewhere: `null`. */
export function progressOf({ machines, finishedAt }: RolloutView): string | null {
  if (finishedAt !== null) return null
  const busy = machines.filter(({ state }) => state === 'running')
  const waiting = machines.filter(({ state }) => state === 'waiting').map(({ machine }) => machine)
  const parts = busy.map((part) => `${part.machine} ${doing[running(part) ?? ''] ?? 'changes'}`)
  if (parts.length === 0 && waiting.length > 0)
    parts.push(`${waiting.join(' and ')} fetch${waiting.length === 1 ? 'es' : ''}`)
  else if (waiting.length > 0) parts.push(`then ${waiting.join(', ')}`)
  return parts.length === 0 ? null : parts.join(', ')
}

/** The state of a machine in a word: its phase while it changes. */
export const machineWord = (part: Machine): string =>
  part.state === 'running'
    ? ({ drain: 'draining', start: 'starting', probe: 'starting' }[running(part) ?? ''] ?? 'running')
    : part.state

/** Release names as buttons and bars show them; a restart has one release twice. */
export function sidesOf(rollout: RolloutView): { old: string | null; fresh: string | null } {
  const { kind, release, previous } = rollout
  switch (kind) {
    case 'deploy':
    case 'rollback':
      return { old: previous === null ? null : shortRelease(previous), fresh: shortRelease(release) }
    case 'restart':
      return { old: 'before', fresh: 'restarted' }
    case 'start':
      return { old: null, fresh: shortRelease(release) }
    case 'stop':
    case 'remove':
      return { old: shortRelease(release), fresh: null }
  }
}

/** The steps of an abort on each machine; the controller decides whether it may be. */
export function abortSteps(rollout: RolloutView): string[] {
  const before = rollout.previous === null ? 'nothing, as before' : shortRelease(rollout.previous)
  return rollout.machines.map((part) => {
    if (part.state === 'waiting' || part.state === 'untouched')
      return `${part.machine} was not touched and stays as it is.`
    if (part.state === 'lost') return `${part.machine} is lost; it goes back when it returns.`
    if (rollout.previous === null) return `${part.machine} stops the new instances; it ran nothing before.`
    const isDone = part.state === 'done'
    return isDone
      ? `${part.machine} starts ${before} again, switches back, finishes the requests in flight, and stops ${shortRelease(rollout.release)}.`
      : `${part.machine} goes back to ${before}: requests in flight are finished before an instance stops.`
  })
}

/** `a, b and c`. */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

/** The same in a sentence, beside the button. */
export function abortSentence(rollout: RolloutView): string {
  const changed = rollout.machines.filter(({ state }) => state !== 'waiting' && state !== 'untouched')
  const rest = rollout.machines.filter(({ state }) => state === 'waiting').map(({ machine }) => machine)
  const names = listed(changed.map(({ machine }) => machine))
  const to = rollout.previous === null ? 'to nothing, as before' : `to ${shortRelease(rollout.previous)}`
  const untouched = rest.length === 0 ? '' : ` ${listed(rest)} ${rest.length === 1 ? 'was' : 'were'} not touched.`
  return names === ''
    ? `No machine was changed yet.${untouched}`
    : `Puts ${names} back ${to}.${untouched} Requests in flight are finished.`
}
