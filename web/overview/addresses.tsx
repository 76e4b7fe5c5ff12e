import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { Glyph } from '../lib/glyph.tsx'
import { span } from '../lib/time.ts'

/** Who holds each virtual address, since when, and why it moved there. */
export function Addresses({ addresses, now }: { addresses: Overview['addresses']; now: number }): JSX.Element | null {
  if (addresses.length === 0) return null
  return (
    <section aria-labelledby="addresses">
      <h2 id="addresses">Virtual addresses</h2>
      <ul>
        {addresses.map(({ address, holder, since, from, why, goesBack }) => (
          <li key={address}>
            <Glyph state={holder === null ? 'failed' : goesBack === null ? 'ready' : 'moved'}>{address}</Glyph>
            <span class="second">
              {holder === null ? 'held by no machine' : `held by ${holder}`}
              {goesBack === null ? '' : `, prefers ${goesBack.to}`}
              {holder === null || from === null || from === holder ? '' : `, moved from ${from}${reasonOf(why, from)}`}
            </span>
            <span class="quiet">{since === null ? '' : span(now - Date.parse(since))}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** `a: HAProxy does not run` is a report of then, from the machine that held it. */
const reasonOf = (why: string, from: string): string =>
  why.startsWith(`${from}: `) ? `; ${from} reported: ${why.slice(from.length + 2)}` : `: ${why}`
