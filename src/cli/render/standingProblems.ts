import type { RolloutView, Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'

/**
 * Other problems of machines that a failed rollout touched. They did not cause the failure; they follow the outcome.
 */
export function standingProblems(status: Status | null, { machines }: RolloutView, paint: Paint): string[] {
  const touched = new Set(machines.flatMap(({ machine, state }) => (state === 'untouched' ? [] : [machine])))
  const found = (status?.machines ?? []).filter(({ name }) => touched.has(name))
  return found.flatMap(({ name, problems }) =>
    problems.map((problem) => `  ${paint('yellow', 'also note:')} machine ${name}: ${problem}`),
  )
}
