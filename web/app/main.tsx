import { render } from 'preact'
import './tokens.css'
import './base.css'
import './shell.css'
import { followLinks } from '../lib/router.ts'
import { Shell } from './shell.tsx'

const page = document.getElementById('page')
if (page) {
  followLinks()
  render(<Shell />, page)
}
