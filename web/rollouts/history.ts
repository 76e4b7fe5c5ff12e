import type { EventView, RolloutView } from '../../src/api/views.ts'

/** An event of a rollout: only its fields that the page reads. */
export interface Step {
  at: number
  type: string
  by: string | null
  machine: string | null
  direction: 'forward' | 'back' | 'catchUp' | null
  outcome: string | null
  reason: string | null
  instance: string | null
  start: readonly string[]
  activate: readonly string[]
  retire: readonly string[]
  stop: readonly string[]
}

const texts = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.flatMap((one: unknown) => {
        if (typeof one === 'string') return [one]
        const id: unknown = typeof one === 'object' && one !== null && 'id' in one ? one.id : null
        return typeof id === 'string' ? [id] : []
      })
    : []
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Events in the order of the log, whatever their order here. */
export function stepsOf(events: readonly EventView[]): Step[] {
  return events
    .toSorted((one, other) => one.position - other.position)
    .map(({ at, type, data, by }) => ({
      ...{ at: Date.parse(at), type, by: by ?? null, machine: text(data['machine']) },
      direction: text(data['direction']) as Step['direction'], // older and newer controllers send these three
      ...{ outcome: text(data['outcome']), reason: text(data['reason']), instance: text(data['instance']) },
      ...{ start: texts(data['start']), activate: texts(data['activate']) },
      ...{ retire: texts(data['retire']), stop: texts(data['stop']) },
    }))
}

/** When the rollout turned round, ms since 1970; `null`: it did not. */
export const reversedAt = (steps: readonly Step[]): number | null =>
  steps.find(({ type }) => type === 'RolloutReversed')?.at ?? null

/** When the machine began to go back; `null`: it did not. */
export const backAt = (steps: readonly Step[], machine: string): number | null =>
  steps.find((step) => step.type === 'TurnStarted' && step.machine === machine && step.direction === 'back')?.at ?? null

/** Instances that the rollout started going forward: those of its release. */
export function newInstances(steps: readonly Step[]): Set<string> {
  const found = new Set<string>()
  const back = new Set<string>()
  for (const { type, machine, direction, start } of steps) {
    if (type === 'TurnStarted' && machine !== null) {
      if (direction === 'back') back.add(machine)
      else back.delete(machine)
    }
    if (type === 'StepStarted' && machine !== null && !back.has(machine)) for (const id of start) found.add(id)
  }
  return found
}

/** Who started it: the name of a token; `null`: not recorded. */
export const startedBy = (steps: readonly Step[]): string | null =>
  steps.find(({ type }) => type === 'RolloutStarted')?.by ?? null

/** A rollout that moves from one release to another, as `fe97886 → b4bddc5`. */
export const isMove = ({ kind }: Pick<RolloutView, 'kind'>): boolean => kind === 'deploy' || kind === 'rollback'
