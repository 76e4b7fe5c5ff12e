import type { Overview } from '../../api/overview.ts'
import type { Paint } from '../paint.ts'
import { count, showBytes } from './names.ts'
import { seen } from './seen.ts'
import { renderTable } from './table.ts'

/** The certificates and how long they are valid, as the newest checkups found them. */
export function certificateLines(certificates: Overview['certificates'], now: number, paint: Paint): string[] {
  if (certificates.length === 0) return []
  const rows = certificates.map(({ name, machines, until, asOf }) => [
    ...[name ?? 'own, which Tandem renews', machines.join(', ')],
    Date.parse(until) <= now ? paint('red', until.slice(0, 10)) : until.slice(0, 10),
    seen(asOf, now),
  ])
  return renderTable(['CERTIFICATE', 'ON', 'VALID UNTIL', 'CHECKED'], rows, paint)
}

/** `release store: 12 releases, 7.2 MiB of 20 GiB`. */
export function storeLines(store: Overview['store']): string[] {
  if (store === null) return []
  const { releases, usedBytes, capBytes } = store
  const cap = capBytes === null ? '' : ` of ${showBytes(capBytes)}`
  return [`release store: ${count(releases, 'release')}, ${showBytes(usedBytes)}${cap}`]
}
