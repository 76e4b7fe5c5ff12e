/** The names of a filter in the address, and as flags of `tandem events`. */
export const filterNames = ['service', 'machine', 'rollout', 'type', 'by'] as const
export type FilterName = (typeof filterNames)[number]

/** The events that a timeline shows. */
export type Filter = Partial<Record<FilterName, string>> & {
  /** Also the steps on the way, not only changes. */
  all: boolean
}

export function filterIn(query: URLSearchParams): Filter {
  const named = filterNames.flatMap((name) => {
    const value = query.get(name)
    return value === null || value === '' ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(named), all: query.has('all') }
}

/** The position of the opened event; `null`: none is open. */
export function positionIn(query: URLSearchParams): number | null {
  const position = Number(query.get('at') ?? '')
  return Number.isSafeInteger(position) && position > 0 ? position : null
}

/** As the controller takes it. */
export function queryOf({ all, ...named }: Filter): Record<string, string> {
  return all ? named : { ...named, changes: 'true' }
}

/** Quoted for a shell where that is needed. */
const quoted = (text: string): string =>
  /^[\w.,:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The command that shows the same events. */
export function commandOf(filter: Filter): string {
  const flags = filterNames.flatMap((name) => {
    const value = filter[name]
    return value === undefined ? [] : [`--${name} ${quoted(value)}`]
  })
  return ['tandem events', ...(filter.all ? [] : ['--changes']), ...flags, '--last 50'].join(' ')
}
