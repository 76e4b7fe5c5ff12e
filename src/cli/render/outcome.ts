import type { RolloutView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import type { FailedBeside } from '../follow/failedBeside.ts'
import type { Paint } from '../paint.ts'
import { shortId } from '../../definitions/names.ts'

interface Besides {
  /** How to fix the failure, in sentences. */
  hint?: readonly string[]
  /** The other instances that failed; `more`: those whose lines are not shown. */
  beside?: { shown: readonly FailedBeside[]; more: readonly string[] }
}

/** Renders the outcome of a rollout and the next step. */
export function renderOutcome(
  rollout: RolloutView,
  lastLines: readonly string[],
  paint: Paint,
  { hint = [], beside = { shown: [], more: [] } }: Besides = {},
): string[] {
  const { service, release, startedAt, finishedAt } = rollout
  const took = finishedAt === null ? null : showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))
  const after = took ? paint('dim', ` (after ${took})`) : ''
  switch (rollout.state) {
    case 'completed':
      return [
        `${paint('green', 'done')}  ${service}: ${completed(rollout)}${took ? ` in ${took}` : ''}`,
        ...missed(rollout, paint),
      ]
    case 'reverted':
      return [
        `${paint('red', 'reverted')}  ${service}: ${rollout.reason ?? 'the rollout failed'}${after}`,
        ...tail(rollout, lastLines, paint),
        ...tailsBeside(rollout, lastLines, beside, paint),
        ...hint.map((line) => `  ${line}`),
        ...nowRuns(rollout),
        ...unhappy(rollout, paint),
        `  next  ${nextStep(rollout)}`,
      ]
    case 'aborted':
      return [
        `${paint('yellow', 'aborted')}  ${service}: ${rollout.reason ?? `release ${shortId(release)} was rolled back`}${after}`,
        ...nowRuns(rollout),
        ...unhappy(rollout, paint),
      ]
    case 'running':
    case 'reverting':
      return [`${rollout.state}  ${service}`]
  }
}

function nextStep(rollout: RolloutView): string {
  const { service, failedInstance, reason } = rollout
  if (reason?.includes(' could not fill in the files: '))
    return `tandem render ${service}   shows the files that serve now; correct the template or the value, and roll out again`
  if (failedInFetch(rollout)) return 'tandem doctor --cluster   finds problems of the machines; then push again'
  const ofInstance = failedInstance === null ? '' : ` --instance ${failedInstance}`
  return `fix the service and push again; all output: tandem logs ${service}${ofInstance}`
}

/** The service had no part in such a failure: none of its programs has run. */
function failedInFetch({ failedInstance, prepare, machines }: RolloutView): boolean {
  const begun = new Set(machines.flatMap(({ phases }) => phases.map(({ phase }) => phase)))
  return failedInstance === null && prepare === null && begun.has('fetch') && begun.size === 1
}

function completed({ kind, release, machines }: RolloutView): string {
  const done = machines.filter(({ state }) => state === 'done').map(({ machine }) => machine)
  const where = done.length > 0 ? ` on ${done.join(', ')}` : ''
  switch (kind) {
    case 'deploy':
    case 'rollback':
      return `${shortId(release)} runs${where}`
    case 'restart':
      return `restarted${where}`
    case 'start':
      return `started${where}`
    case 'stop':
      return `stopped${where}`
    case 'remove':
      return `removed${where}`
  }
}

function missed({ machines, service }: RolloutView, paint: Paint): string[] {
  const away = machines.filter(({ state }) => state === 'lost' || state === 'behind' || state === 'failed')
  if (away.length === 0) return []
  return [
    `${paint('yellow', 'warning:')} not on ${away.map(({ machine, state }) => `${machine} (${state})`).join(', ')}; ` +
      `a machine that comes back catches up automatically: tandem status ${service}`,
  ]
}

function tail({ failedInstance }: RolloutView, lines: readonly string[], paint: Paint): string[] {
  if (failedInstance === null) return []
  if (lines.length === 0) return [`  ${failedInstance} wrote nothing`]
  return [`  last lines of ${failedInstance}:`, ...barred(lines, paint)]
}

const barred = (lines: readonly string[], paint: Paint): string[] =>
  lines.map((line) => `  ${paint('dim', '│')} ${line}`)

/** Each other instance with its own reason; lines that stand there already are not repeated. */
function tailsBeside(
  { id }: RolloutView,
  lastLines: readonly string[],
  { shown, more }: NonNullable<Besides['beside']>,
  paint: Paint,
): string[] {
  const written = [lastLines.join('\n')]
  const lines = shown.flatMap((one) => {
    const failed = `  ${one.instance} on ${one.machine} failed too: ${one.reason}`
    if (one.lines.length === 0) return [`${failed}; it wrote nothing`]
    const text = one.lines.join('\n')
    if (written.some((before) => before.endsWith(text))) return [`${failed}; it wrote the same`]
    written.push(text)
    return [`${failed}; its last lines:`, ...barred(one.lines, paint)]
  })
  if (more.length === 0) return lines
  return [...lines, `  ${more.length} more failed: tandem events --rollout ${id} --failures`]
}

function nowRuns({ previous, machines }: RolloutView): string[] {
  if (previous === null) return ['  no instance of the service runs']
  const untouched = machines.filter(({ state }) => state === 'untouched').map(({ machine }) => machine)
  const note = untouched.length > 0 ? ` (${untouched.join(', ')} not touched)` : ''
  return [`  release ${shortId(previous)} still serves${note}`]
}

/** Warns of machines on which reverting failed. */
function unhappy({ machines, service }: RolloutView, paint: Paint): string[] {
  return machines
    .filter(({ state }) => state === 'failed' || state === 'lost' || state === 'behind')
    .map(
      ({ machine, state }) =>
        `  ${paint('red', 'warning:')} ${machine} is ${state} and was not reverted: tandem status ${service}`,
    )
}
