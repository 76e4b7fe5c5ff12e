import type { MachineNumbers } from '../../protocol/numbers.ts'

/** Counts since the reading before. */
export interface Passed {
  answers: number[]
  connections: number
  errors: number
}

/** As `Passed`, for the answers of the balancer itself. */
export interface OwnPassed {
  own: number[]
  retries: number
}

/** A reading of one machine, and what happened since the one before. */
export interface Sample {
  machine: string
  /** The controller's wall clock, in ms. */
  at: number
  /** Time since the reading before, in ms; `null`: this is the first of its counting, so nothing can be compared. */
  elapsedMs: number | null
  numbers: MachineNumbers
  instances: Map<string, Passed>
  services: Map<string, OwnPassed>
  /** Share of all processors that were busy, 0 to 1. */
  cpu: number | null
}

/** A reading as it arrived; `monotonic` in ms of a clock that nothing sets back. */
export interface Read {
  at: number
  monotonic: number
  numbers: MachineNumbers
}

/**
 * Compares two readings of one machine. Counts that begin again, as after a restart of the agent, are compared with
 * nothing: no difference is ever negative.
 */
export function sampleOf(machine: string, before: Read | null, now: Read): Sample {
  const { numbers, at, monotonic } = now
  const isSame = before !== null && before.numbers.counting === numbers.counting
  const known = isSame ? before.numbers : null
  const instances = new Map(known?.instances.map((one) => [one.id, one]))
  const services = new Map(known?.services.map((one) => [one.service, one]))
  return {
    ...{ machine, at, numbers, elapsedMs: isSame ? monotonic - before.monotonic : null },
    cpu: before === null ? null : busy(before.numbers.load.cpu, numbers.load.cpu),
    instances: new Map(
      numbers.instances.map(({ id, answers, connections, errors }) => {
        if (known === null) return [id, { answers: answers.map(() => 0), connections: 0, errors: 0 }]
        const was = instances.get(id)
        return [
          id,
          {
            answers: answers.map((count, group) => since(was?.answers[group], count)),
            connections: since(was?.connections, connections),
            errors: since(was?.errors, errors),
          },
        ]
      }),
    ),
    services: new Map(
      numbers.services.map(({ service, own, retries }) => {
        if (known === null) return [service, { own: own.map(() => 0), retries: 0 }]
        const was = services.get(service)
        const counts = own.map((count, group) => since(was?.own[group], count))
        return [service, { own: counts, retries: since(was?.retries, retries) }]
      }),
    ),
  }
}

const since = (before = 0, now: number): number => Math.max(0, now - before)

function busy(before: MachineNumbers['load']['cpu'], now: MachineNumbers['load']['cpu']): number | null {
  if (before === null || now === null || now.totalMs <= before.totalMs) return null
  return Math.min(1, since(before.busyMs, now.busyMs) / (now.totalMs - before.totalMs))
}
