import type { JSX } from 'preact'
import { barLinks } from '../features.ts'
import { address } from '../lib/router.ts'

const isWithin = (path: string, link: string): boolean =>
  link === '/' ? path === '/' : path === link || path.startsWith(`${link}/`)

export function Bar(): JSX.Element {
  const { path } = address.value
  return (
    <header class="bar">
      <a class="cluster" href="/">
        <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
          <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />
        </svg>
        tandem
      </a>
      <nav aria-label="pages">
        {barLinks.map((link) => (
          <a key={link.path} href={link.path} aria-current={isWithin(path, link.path) ? 'page' : undefined}>
            {link.name}
          </a>
        ))}
      </nav>
    </header>
  )
}
