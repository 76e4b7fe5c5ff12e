import type { ClusterMap, Counted, MapEdge, MapNode } from '../../src/api/map.ts'
import type { StateName } from './states.ts'
import { shortTime } from './time.ts'

/** The state with which a page shows a service of the map. */
export const nodeState = ({ state }: Extract<MapNode, { kind: 'service' }>): StateName => {
  switch (state) {
    case 'partly':
      return 'behind'
    case 'down':
      return 'failed'
    case 'missing':
      return 'unplaced'
    default:
      return state
  }
}

/** Its word, where that of the shown state says something else. */
export function nodeWord({ state }: Extract<MapNode, { kind: 'service' }>): string {
  switch (state) {
    case 'partly':
      return 'partly ready'
    case 'missing':
      return 'not deployed'
    default:
      return state
  }
}

/** How often and when: `12, last at 11:59`. */
export function countedWords(
  found: Counted | null,
  { countedSince }: Pick<ClusterMap, 'countedSince'>,
  now: number,
): string {
  if (countedSince === null) return 'not counted'
  if (found === null) return 'none'
  return `${found.count.toLocaleString('en')}, last at ${shortTime(found.last, now)}`
}

/** The oddities of a call, in words; `null`: none. */
export function oddWords({ mark, refused }: MapEdge): string | null {
  const words = [
    ...(mark === null ? [] : [mark]),
    ...(refused === null ? [] : [`refused ${refused.count.toLocaleString('en')} times`]),
  ]
  return words.length === 0 ? null : words.join(', ')
}
