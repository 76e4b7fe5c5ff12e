import { render } from 'preact'
import './tokens.css'
import './base.css'
import './shell.css'
import { followLinks } from '../lib/router.ts'
import { linkIn, SessionKey } from '../lib/session.ts'
import { listenForKeys } from '../lib/keys.ts'
import { Door } from './door.tsx'
import { withinPast } from './pastAddress.ts'
import { restoreScheme } from './scheme.ts'
import { showTextsHarmless } from './shownText.ts'

const page = document.getElementById('page')
if (page) {
  restoreScheme()
  showTextsHarmless()
  followLinks(withinPast)
  listenForKeys()
  const session = new SessionKey(localStorage)
  addEventListener('storage', (event) => session.changed(event))
  const link = linkIn(location.hash)
  // The secret must not stay in the history, where the way back would use it again.
  if (link !== null) history.replaceState(null, '', location.pathname + location.search)
  // A link that somebody pastes into an open page changes only the fragment.
  addEventListener('hashchange', () => {
    if (linkIn(location.hash) !== null) location.reload()
  })
  render(<Door session={session} link={link} />, page)
}
