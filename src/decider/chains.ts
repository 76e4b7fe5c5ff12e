import type { Link } from '../decision/links.ts'
import type { Event, NewEvent } from '../events/event.ts'
import { links } from './rooms.ts'

/** The open chains of events: by name, the position of the last event. The chain that grew last is the last one. */
export type Chains = ReadonlyMap<string, number>

/** Number of open chains; the ones that have not grown for the longest time are forgotten. */
const kept = 5_000

const linkOf = (event: Event): Link => {
  const link = links[event.type] as (data: Event['data']) => Link // each is called with data of its own type
  return link(event.data)
}

/** Folds an event into the chains, in place. */
export function growChains(chains: Map<string, number>, event: Event & { position: number }): void {
  const { in: continued = [], opens = [], ends = [] } = linkOf(event)
  const open = continued.filter((name) => chains.has(name))
  for (const name of [...ends, ...open, ...opens]) chains.delete(name)
  for (const name of [...open.filter((one) => !ends.includes(one)), ...opens]) chains.set(name, event.position)
  for (const oldest of chains.keys()) {
    if (chains.size <= kept) break
    chains.delete(oldest)
  }
}

/** The position of the event that an event follows from; `null`: it follows from none that is known. */
export function causeOf(chains: Chains, event: Event): number | null {
  const { after = [], in: continued = [] } = linkOf(event)
  for (const name of [...after, ...continued]) {
    const position = chains.get(name)
    if (position !== undefined) return position
  }
  return null
}

interface Asking {
  /** Position of the first event. */
  first: number
  /** As in `Decided`. */
  direct: number
  /** The name of the caller; `null`: nobody called. */
  by: string | null
  /** The caller asked for a change; otherwise it reported facts. */
  isRequest: boolean
}

/**
 * Where each event of a decision comes from: the first ones from the caller, the others from earlier events. A fact that
 * a machine reports has both. Something that a person asked for follows from no event.
 */
export function withOrigins(chains: Chains, events: readonly Event[], asking: Asking): NewEvent[] {
  if (events.length === 0) return []
  const growing = new Map(chains)
  return events.map((event, index) => {
    const by = index < asking.direct ? asking.by : null
    const cause = by !== null && asking.isRequest ? null : causeOf(growing, event)
    growChains(growing, { ...event, position: asking.first + index })
    return { ...event, ...(by === null ? {} : { by }), ...(cause === null ? {} : { cause }) }
  })
}
