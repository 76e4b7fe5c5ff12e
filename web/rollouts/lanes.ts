import { newInstances, type Step } from './history.ts'

/** How the instances of a release stand to requests: `takes` new ones, `finishes` those in flight, or `starts`. */
export type Part = 'takes' | 'finishes' | 'starts'

export interface Span {
  from: number
  to: number
  part: Part
}

interface Life {
  instance: string
  isNew: boolean
  changes: { at: number; part: Part | null }[]
}

const rank: Record<Part, number> = { takes: 3, finishes: 2, starts: 1 }

interface Given {
  steps: readonly Step[]
  machine: string
  /** The span that is shown, ms since 1970. */
  from: number
  to: number
  /** Whether instances served before the rollout. */
  hasOld: boolean
}

/** Who takes requests on a machine over time: the instances of before (and those that come back), and the new ones. */
export function lanes({ steps, machine, from, to, hasOld }: Given): { old: Span[]; fresh: Span[] } {
  const lives = livesOn(steps, machine)
  const old = lives.filter(({ isNew }) => !isNew)
  // An instance of before that no step names takes requests all the time.
  const isUntouched = hasOld && !old.some(({ changes }) => changes[0]?.part !== 'starts')
  return {
    old: spans(
      isUntouched ? [...old, { instance: '', isNew: false, changes: [{ at: from, part: 'takes' }] }] : old,
      from,
      to,
    ),
    fresh: spans(
      lives.filter(({ isNew }) => isNew),
      from,
      to,
    ),
  }
}

function livesOn(steps: readonly Step[], machine: string): Life[] {
  const fresh = newInstances(steps)
  const lives = new Map<string, Life>()
  const of = (instance: string): Life => {
    const known = lives.get(instance)
    if (known) return known
    // It has served since before the first step that names it.
    const before: Life['changes'] = [{ at: Number.NEGATIVE_INFINITY, part: 'takes' }]
    const made = { instance, isNew: fresh.has(instance), changes: before }
    lives.set(instance, made)
    return made
  }
  for (const step of steps) {
    if (step.machine !== machine) continue
    const { at, type } = step
    if (type === 'StepStarted') {
      for (const id of step.start)
        lives.set(id, { instance: id, isNew: fresh.has(id), changes: [{ at, part: 'starts' }] })
      for (const id of step.activate) of(id).changes.push({ at, part: 'takes' })
      for (const id of step.retire) {
        const { changes } = of(id)
        // An instance that never took a request has none to finish.
        if (changes.at(-1)?.part === 'takes') changes.push({ at, part: 'finishes' })
      }
      for (const id of step.stop) {
        const life = of(id)
        if (life.changes.at(-1)?.part === 'starts') life.changes.push({ at, part: null })
      }
    } else if (step.instance !== null && lives.has(step.instance)) {
      if (type === 'InstanceStopped' || type === 'InstanceFailed') of(step.instance).changes.push({ at, part: null })
    }
  }
  return [...lives.values()]
}

/** Of several instances the one that does most for requests counts. */
function spans(lives: readonly Life[], from: number, to: number): Span[] {
  const times = new Set(lives.flatMap(({ changes }) => changes.map(({ at }) => Math.max(from, at))))
  const borders = [from, ...times].filter((at) => at < to).toSorted((a, b) => a - b)
  const found: Span[] = []
  for (const [index, at] of borders.entries()) {
    const end = borders[index + 1] ?? to
    const part = partAt(lives, at)
    if (part === null || end <= at) continue
    const last = found.at(-1)
    if (last && last.part === part && last.to === at) last.to = end
    else found.push({ from: at, to: end, part })
  }
  return found
}

function partAt(lives: readonly Life[], at: number): Part | null {
  const parts = lives.map(({ changes }) => changes.findLast((change) => change.at <= at)?.part ?? null)
  return parts.reduce((best, part) => (part !== null && (best === null || rank[part] > rank[best]) ? part : best), null)
}
