import { address, type Address } from '../lib/router.ts'
import { findPage } from './findPage.ts'

const hasPast = (path: string): boolean => findPage(path)?.page.hasPast === true

/** The position or time of the past that an address shows; `null`: the present. */
export const pastIn = ({ path, query }: Address): string | null => (hasPast(path) ? query.get('at') : null)

/** Where a link leads: from a page of the past to the same moment, where there is one, or to its event in the timeline. */
export function withinPast(url: URL): URL {
  const at = pastIn(address.peek())
  if (at === null || url.searchParams.has('at')) return url
  if (!hasPast(url.pathname) && url.pathname !== '/timeline') return url
  const there = new URL(url)
  there.searchParams.set('at', at)
  return there
}
