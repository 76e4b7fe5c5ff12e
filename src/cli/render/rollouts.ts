import type { RolloutView } from '../../api/views.ts'
import { showAge, showSeconds } from '../duration.ts'
import { featureRolloutLines } from '../features.ts'
import type { Paint, Style } from '../paint.ts'
import { took } from './progressLines.ts'
import { rolloutTitle, whatIsRolled } from './rolloutTitle.ts'
import { renderTable } from './table.ts'

export function renderRollouts(rollouts: readonly RolloutView[], now: number, paint: Paint): string {
  if (rollouts.length === 0) return 'no rollouts yet'
  const rows = rollouts.map((rollout) => [
    rollout.id,
    rollout.service,
    paint(stateStyles[rollout.state], rollout.state),
    whatIsRolled(rollout),
    duration(rollout, now),
    showAge(rollout.startedAt, now),
    rollout.reason ?? '',
  ])
  return renderTable(['ROLLOUT', 'SERVICE', 'STATE', 'WHAT', 'TOOK', 'AGE', 'REASON'], rows, paint).join('\n')
}

/** One rollout with its timing: a row for each machine, a column for each phase. */
export function renderRollout(
  rollout: RolloutView,
  /** `null`: they are not shown. */
  prepareLines: readonly string[] | null,
  now: number,
  paint: Paint,
): string {
  const names = [...new Set(rollout.machines.flatMap(({ phases }) => phases.map(({ phase }) => phase)))]
  const rows = rollout.machines.map(({ machine, state, phases }) => [
    `  ${machine}`,
    state,
    ...names.map(
      (name) =>
        phases
          .filter(({ phase }) => phase === name)
          .map(took)
          .join(' + ') || '-',
    ),
  ])
  const head = ['  MACHINE', 'STATE', ...names.map((name) => name.toUpperCase())]
  return [
    rolloutTitle(rollout, paint),
    `${paint(stateStyles[rollout.state], rollout.state)} after ${duration(rollout, now)}, started ${rollout.startedAt}`,
    ...featureRolloutLines(rollout),
    ...(rollout.reason === null ? [] : [`reason: ${rollout.reason}`]),
    ...(rollout.failedInstance === null
      ? []
      : [`output of the failed instance: tandem logs ${rollout.service} --instance ${rollout.failedInstance}`]),
    '',
    ...renderTable(head, rows, paint),
    ...(prepareLines === null ? [] : prepareOutput(rollout, prepareLines, paint)),
  ].join('\n')
}

function prepareOutput({ service, prepare }: RolloutView, lines: readonly string[], paint: Paint): string[] {
  if (!prepare) return []
  const { machine, instance } = prepare
  const all = `all: tandem logs ${service} --instance ${instance}`
  if (lines.length === 0) return ['', `prepare on ${machine} wrote nothing`]
  return ['', `last lines of prepare on ${machine} (${all}):`, ...lines.map((line) => `  ${paint('dim', '│')} ${line}`)]
}

function duration({ startedAt, finishedAt }: RolloutView, now: number): string {
  return showSeconds((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt))
}

const stateStyles: Record<RolloutView['state'], Style> = {
  running: 'cyan',
  reverting: 'yellow',
  completed: 'green',
  reverted: 'red',
  aborted: 'yellow',
}
