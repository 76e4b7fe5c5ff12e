import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { Glyph } from '../lib/glyph.tsx'
import { bytes, count, grouped } from '../lib/numbers.ts'

/** How much the controller keeps. */
export function Stores({ overview: { controller, store } }: { overview: Overview }): JSX.Element {
  return (
    <section aria-labelledby="stores">
      <h2 id="stores">Stores</h2>
      <ul>
        <li>
          <Glyph state="ready">event log</Glyph>
          <span class="quiet">{count(controller.position, 'event')}</span>
        </li>
        {store !== null && <Releases store={store} />}
      </ul>
    </section>
  )
}

/** The share of its cap from which a push may be refused soon. */
const nearlyFull = 0.9

function Releases({ store }: { store: NonNullable<Overview['store']> }): JSX.Element {
  const { releases, usedBytes, capBytes } = store
  const isFull = capBytes !== null && usedBytes > nearlyFull * capBytes
  return (
    <li>
      <Glyph state={isFull ? 'behind' : 'ready'}>releases</Glyph>
      <span class="second">{grouped(releases)}</span>
      <span class="quiet">
        {bytes(usedBytes)}
        {capBytes === null ? '' : ` of ${bytes(capBytes)}`}
      </span>
    </li>
  )
}
