import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { Glyph } from '../lib/glyph.tsx'
import { span } from '../lib/time.ts'

type Certificate = Overview['certificates'][number]

/** A checkup finds those wrong that people must renew within this time. */
const noticeMs = 14 * 86_400_000

/** How long each certificate is valid, those first that end first, as the checkups found them. */
export function Certificates({ certificates, now }: { certificates: Certificate[]; now: number }): JSX.Element | null {
  const oldest = certificates.map(({ asOf }) => asOf).toSorted()[0]
  if (oldest === undefined) return null
  return (
    <section aria-labelledby="certificates">
      <h2 id="certificates">
        Certificates <span class="count">checked {span(now - Date.parse(oldest))} ago</span>
      </h2>
      <ul>
        {certificates.map((certificate) => (
          <Row key={certificate.name} certificate={certificate} left={Date.parse(certificate.until) - now} />
        ))}
      </ul>
    </section>
  )
}

function Row({ certificate: { name, machines }, left }: { certificate: Certificate; left: number }): JSX.Element {
  const state = left <= 0 ? 'failed' : name !== null && left < noticeMs ? 'ending' : 'ready'
  return (
    <li>
      <Glyph state={state}>{name ?? 'machines'}</Glyph>
      <span class="second">
        {left <= 0 ? 'expired' : name === null ? 'renew by themselves' : `on ${machines.join(', ')}`}
      </span>
      <span class="quiet">{left <= 0 ? '' : span(left)}</span>
    </li>
  )
}
