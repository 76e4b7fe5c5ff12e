import type { JSX } from 'preact'
import { barLinks } from '../features.ts'
import { useCluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { address } from '../lib/router.ts'
import { clockTime, localClock } from '../lib/time.ts'
import { pastIn } from './pastAddress.ts'

const isWithin = (path: string, link: string): boolean =>
  link === '/' ? path === '/' : path === link || path.startsWith(`${link}/`)

interface BarProps {
  onFind: () => void
  onAccount: () => void
  onKeys: () => void
}

export function Bar({ onFind, onAccount, onKeys }: BarProps): JSX.Element {
  const { overview, me } = useCluster()
  const { path } = address.value
  return (
    <header class="bar">
      <a class="cluster" href="/">
        <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
          <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />
        </svg>
        tandem
        {overview.value === null ? null : (
          <>
            <span class="slash">/</span> {overview.value.cluster}
          </>
        )}
      </a>
      <nav aria-label="pages">
        {barLinks.map((link) => (
          <a key={link.path} href={link.path} aria-current={isWithin(path, link.path) ? 'page' : undefined}>
            {link.name}
            {link.count ? <link.count /> : null}
          </a>
        ))}
      </nav>
      <button type="button" class="find" onClick={onFind}>
        Find <span class="wide-only">or do</span> <kbd class="wide-only">Ctrl K</kbd>
      </button>
      <LiveMark />
      <button type="button" class="plain who" onClick={onAccount}>
        {me.value?.name ?? 'signed in'}
      </button>
      <button type="button" class="plain keys-button" onClick={onKeys} aria-label="Keys">
        <kbd>?</kbd>
      </button>
    </header>
  )
}

/** Whether the page is live, and the time by the controller's clock. */
function LiveMark(): JSX.Element {
  const { contact, now } = useCluster()
  const { state, asOf } = contact.value
  if (pastIn(address.value) !== null) {
    return (
      <span class="live in-past">
        <Shape shape="back" /> past
      </span>
    )
  }
  if (state === 'live') {
    return (
      <span class="live tone-ok">
        <Shape shape="disc" />
        <span>
          live <time>{clockTime(now.value)}</time> UTC
          <LocalTime at={now.value} />
        </span>
      </span>
    )
  }
  if (state === 'connecting') return <span class="live quiet">{asOf === null ? 'connecting' : <AsOf at={asOf} />}</span>
  return (
    <span class="live">
      <span class="state tone-bad">
        <Shape shape="dashed" /> not live
      </span>
      {asOf === null ? null : <AsOf at={asOf} />}
    </span>
  )
}

const AsOf = ({ at }: { at: number }): JSX.Element => (
  <span>
    as of <time>{clockTime(at)}</time>
  </span>
)

/** The time where the reader is, unless that is UTC. */
function LocalTime({ at }: { at: number }): JSX.Element | null {
  const local = localClock(at)
  return local === clockTime(at) ? null : <span class="local">, {local} here</span>
}
