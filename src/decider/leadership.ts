import type { Asked, Base, TermRecord } from '../decision/base.ts'
import { accepted } from '../decision/refuse.ts'
import type { Links } from '../decision/links.ts'
import { roomOf } from '../decision/room.ts'
import { change, step, type Words } from '../decision/words.ts'
import type { EventData } from '../events/event.ts'
import type { LeadershipEvents } from '../events/leadershipEvents.ts'

export type LeadershipCommand =
  | { type: 'TakeLeadership'; id: string; version: string }
  | { type: 'RestartClock'; reason: string }
  | { type: 'TimePassed' }
  /** Something beside the log and the machines' reports has changed. */
  | { type: 'LookAgain' }

/** Number of leaderships that an agent may have missed and still recognize the log as the same. */
const termsKept = 1_000

function took(
  terms: TermRecord[],
  { term, id }: Pick<EventData['LeadershipTaken'], 'term' | 'id'>,
  asked: Asked,
  recovered: boolean,
): Partial<Base> {
  const record = { term, id, start: asked.position, recovered }
  return { terms: [...terms, record].slice(-termsKept), ...clockFrom(asked) }
}

const clockFrom = ({ at, position }: Asked): Partial<Base> => ({ clockSince: at, clockPosition: position })

const words: Words<LeadershipEvents> = {
  LeadershipTaken: ({ term, version }) => change('note', 'controller', `started: term ${term}, Tandem ${version}`),
  LogRecovered: ({ term }) => change('warn', 'controller', `recovered its log from the machines: term ${term}`),
  ClockRestarted: ({ reason }) => step('note', 'controller', `began its deadlines again: ${reason}`),
}

/** They follow from nothing that is in the log. */
const links: Links<LeadershipEvents> = {
  LeadershipTaken: () => ({}),
  LogRecovered: () => ({}),
  ClockRestarted: () => ({}),
}

/** Who decides, and since when deadlines count. */
export const leadership = roomOf<Base, Partial<Base>, LeadershipEvents, LeadershipCommand>()({
  name: 'leadership',
  words,
  links,
  initial: {},
  folds: {
    LeadershipTaken: ({ terms }, { data }, asked) => took(terms, data, asked, false),
    LogRecovered: ({ terms }, { data }, asked) => took(terms, data, asked, true),
    ClockRestarted: (_, __, asked) => clockFrom(asked),
  },
  commands: {
    TakeLeadership: ({ terms }, { id, version }) =>
      accepted({ type: 'LeadershipTaken', data: { term: (terms.at(-1)?.term ?? 0) + 1, id, version } }),
    RestartClock: (_, { reason }) => accepted({ type: 'ClockRestarted', data: { reason } }),
    TimePassed: () => accepted(),
    LookAgain: () => accepted(),
  },
  desire: () => ({}),
})
