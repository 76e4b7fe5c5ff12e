import { linkIn, SessionKey } from '../lib/session.ts'
import { Entrance } from './entrance.ts'
import { restoreScheme } from './scheme.ts'

restoreScheme()
const session = new SessionKey(localStorage)
addEventListener('storage', (event) => session.changed(event))
const link = linkIn(location.hash)
// The secret must not stay in the history, where the way back would use it again.
if (link !== null) history.replaceState(null, '', location.pathname + location.search)
// A link that somebody pastes into an open page changes only the fragment.
addEventListener('hashchange', () => {
  if (linkIn(location.hash) !== null) location.reload()
})
const entrance = new Entrance(session, link)
// The state of the cluster is asked for already while the code that shows it is read: this saves a round trip. So the
// code that asks is small, and holds nothing of Preact.
import('./view.tsx').then(
  ({ show }) => show(entrance),
  () => document.getElementById('page')?.append('This page could not be loaded. Load it again.'),
)
