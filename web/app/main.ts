import { beginEarly, type Early } from '../lib/early.ts'
import { linkIn, SessionKey } from '../lib/session.ts'
import { Entrance } from './entrance.ts'
import { restoreScheme } from './scheme.ts'

declare global {
  /** Begun by the page's first lines. */
  var early: Early | undefined
}

restoreScheme()
const session = new SessionKey(localStorage)
addEventListener('storage', (event) => session.changed(event))
// A link that somebody pastes into an open page changes only the fragment.
addEventListener('hashchange', () => {
  if (linkIn(location.hash) !== null) location.reload()
})
const entrance = new Entrance(session, globalThis.early ?? beginEarly())
// The cluster is opened already while the code that shows it is read. So the code that opens it is small, and holds
// nothing of Preact.
import('./view.tsx').then(
  ({ show }) => show(entrance),
  () => document.getElementById('page')?.append('This page could not be loaded. Load it again.'),
)
