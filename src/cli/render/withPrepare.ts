import type { RolloutView } from '../../api/views.ts'

/** Adds `prepare` to the phases of the machine that ran it, after `fetch`. */
export function withPrepare(rollout: RolloutView): RolloutView {
  const { prepare, machines } = rollout
  if (!prepare) return rollout
  const { machine: where, startedAt, finishedAt } = prepare
  const phase = { phase: 'prepare', startedAt, finishedAt } as const
  return {
    ...rollout,
    machines: machines.map((machine) => {
      if (machine.machine !== where) return machine
      const fetched = machine.phases.filter((one) => one.phase === 'fetch')
      const others = machine.phases.filter((one) => one.phase !== 'fetch' && one.phase !== 'prepare')
      return { ...machine, phases: [...fetched, phase, ...others] }
    }),
  }
}
