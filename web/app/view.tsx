import { render } from 'preact'
import './tokens.css'
import './base.css'
import './shell.css'
import { listenForKeys } from '../lib/keys.ts'
import { followLinks } from '../lib/router.ts'
import { Door } from './door.tsx'
import type { Entrance } from './entrance.ts'
import { withinPast } from './pastAddress.ts'
import { showTextsHarmless } from './shownText.ts'

/** Shows the page to whoever is let in. */
export function show(entrance: Entrance): void {
  const page = document.getElementById('page')
  if (page === null) return
  showTextsHarmless()
  followLinks(withinPast)
  listenForKeys()
  render(<Door entrance={entrance} />, page)
}
