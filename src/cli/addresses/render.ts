import type { Status } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import type { Paint } from '../paint.ts'
import { seen } from '../render/seen.ts'
import { renderTable } from '../render/table.ts'

export function addressLines(addresses: Status['addresses'], now: number, paint: Paint): string[] {
  const rows = addresses.map(({ address, holder, since, from, why, goesBack }) => [
    address,
    holder ?? paint('red', 'no machine'),
    seen(since, now),
    from ?? '-',
    why + returning(goesBack, now),
  ])
  return rows.length === 0 ? [] : renderTable(['ADDRESS', 'HELD BY', 'SINCE', 'BEFORE', 'WHY'], rows, paint)
}

function returning(goesBack: Status['addresses'][number]['goesBack'], now: number): string {
  if (!goesBack) return ''
  const wait = Date.parse(goesBack.notBefore) - now
  const when = wait > 0 ? `, in ${showSeconds(wait)} at the earliest` : ' once it is healthy'
  return `; goes back to ${goesBack.to}${when}`
}
