import type { Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { renderTable } from './table.ts'

type ServiceStatus = Status['services'][number]
type Access = NonNullable<ServiceStatus['access']>[number]

/**
 * Access to each route of a service that has its own ports. A service that answers only at the entry is always public,
 * and gets no table.
 */
export function accessLines({ access = [] }: ServiceStatus, paint: Paint): string[] {
  if (access.every(({ port }) => port === null)) return []
  const rows = access.map((one) => [`  ${one.route}`, one.carries, one.expose, whereItListens(one)])
  return renderTable(['  ROUTE', 'CARRIES', 'EXPOSE', 'LISTENS ON'], rows, paint)
}

function whereItListens({ port, address }: Access): string {
  if (port === null) return 'the entry of every machine'
  return address === null ? `port ${port} of every machine` : `${address}:${port} on every machine`
}
