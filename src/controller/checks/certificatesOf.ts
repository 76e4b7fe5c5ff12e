import type { Check } from '../../api/checks.ts'
import type { CertificateView } from '../../api/overview.ts'

/**
 * The certificates of all checkups, those first that end first. One that several machines have stands once, and so do
 * all that Tandem renews: with the earliest end, and the age of the oldest of their checkups.
 */
export function certificatesOf(checks: readonly Check[]): CertificateView[] {
  const each = checks.flatMap(({ machine, at, certificates = [] }) =>
    certificates.map(({ name, kind, until }) => ({ name: kind === 'own' ? null : name, machine, until, at })),
  )
  return [...Map.groupBy(each, ({ name }) => name)]
    .map(([name, all]) => ({
      name,
      machines: [...new Set(all.map(({ machine }) => machine))],
      until: least(all.map(({ until }) => until)),
      asOf: least(all.map(({ at }) => at)),
    }))
    .toSorted((one, other) => (one.until < other.until ? -1 : 1))
}

/** Of times in ISO 8601 and UTC, which order as texts. */
const least = (times: readonly string[]): string => times.toSorted()[0] ?? ''
