import type { Me } from './cluster.ts'
import type { Contact } from './live.ts'

/** Why nothing can be changed now, whatever the action; `null`: the controller decides. */
export function refusalOf({ state }: Contact, me: Me | null): string | null {
  if (state !== 'live') return 'Not now: the page is not live.'
  if (me?.role === 'reader') return `Not possible: the token "${me.name}" only reads.`
  return null
}
