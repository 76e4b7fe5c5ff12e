import type { RolloutView, Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'

/** Problems of the machines that a failed rollout has touched: shown below its outcome, since they are no reason for it. */
export function standingProblems(status: Status | null, { machines }: RolloutView, paint: Paint): string[] {
  const touched = new Set(machines.flatMap(({ machine, state }) => (state === 'untouched' ? [] : [machine])))
  const found = (status?.machines ?? []).filter(({ name }) => touched.has(name))
  return found.flatMap(({ name, problems }) =>
    problems.map((problem) => `  ${paint('yellow', 'apart from that:')} machine ${name}: ${problem}`),
  )
}
