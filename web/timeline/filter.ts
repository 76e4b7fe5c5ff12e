import { shellWord } from '../lib/shellWord.ts'

/** The names of a filter in the address, and as flags of `tandem events`. */
export const filterNames = ['service', 'machine', 'rollout', 'type', 'by'] as const
export type FilterName = (typeof filterNames)[number]

/** The kinds of events that a timeline shows: named so in the address, in calls and as flags; `all`: every event. */
export const kinds = ['changes', 'people', 'failures', 'all'] as const
export type Kind = (typeof kinds)[number]

/** The events that a timeline shows. */
export type Filter = Partial<Record<FilterName, string>> & { kind: Kind }

export function filterIn(query: URLSearchParams): Filter {
  const named = filterNames.flatMap((name) => {
    const value = query.get(name)
    return value === null || value === '' ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(named), kind: kinds.find((kind) => query.has(kind)) ?? 'changes' }
}

/** Changes of the address that lead to another kind. */
export const kindQuery = (to: Kind): Record<Kind, string | null> => ({
  ...{ changes: null, people: null, failures: null, all: null },
  ...(to === 'changes' ? {} : { [to]: '1' }),
})

/** The position of the opened event; `null`: none is open. */
export function positionIn(query: URLSearchParams): number | null {
  const position = Number(query.get('at') ?? '')
  return Number.isSafeInteger(position) && position > 0 ? position : null
}

/** As the controller takes it. */
export function queryOf({ kind, ...named }: Filter): Record<string, string> {
  return kind === 'all' ? named : { ...named, [kind]: 'true' }
}

/** The command that shows the same events. */
export function commandOf(filter: Filter): string {
  const flags = filterNames.flatMap((name) => {
    const value = filter[name]
    return value === undefined ? [] : [`--${name} ${shellWord(value)}`]
  })
  return ['tandem events', ...(filter.kind === 'all' ? [] : [`--${filter.kind}`]), ...flags, '--last 50'].join(' ')
}
