import type { Named } from '../../api/names.ts'
import type { Paint } from '../paint.ts'
import { renderTable } from '../render/table.ts'

export const nameLines = (names: readonly Named[], paint: Paint): string[] =>
  renderTable(
    ['NAME', 'ADDRESS', 'PORTS', 'USED BY', 'ANSWERED FROM'],
    names.map((one) => [one.name ?? one.service, one.address, ports(one), list(one.usedBy), answeredFrom(one, paint)]),
    paint,
  )

export function resolvedLines(named: Named, paint: Paint): string[] {
  const rows = named.from.map(({ machine, answered, why }) => [
    machine,
    answered.length === 0
      ? paint('red', 'nobody')
      : answered.map((one) => one.instance + (one.machine === machine ? '' : ` on ${one.machine}`)).join(', '),
    why,
  ])
  return [
    `${named.name ?? named.service}   ${named.address}, port ${ports(named)}`,
    ...(named.usedBy.length === 0 ? [] : [`used by ${named.usedBy.join(', ')}`]),
    '',
    ...renderTable(['CALLED ON', 'ANSWERED BY', 'WHY'], rows, paint),
  ]
}

const ports = ({ ports: all }: Named): string => all.map(({ port, carries }) => `${port} (${carries})`).join(', ')
const list = (names: readonly string[]): string => (names.length === 0 ? '-' : names.join(', '))

function answeredFrom({ from }: Named, paint: Paint): string {
  const silent = from.filter(({ answered }) => answered.length === 0).map(({ machine }) => machine)
  if (silent.length === 0) return 'every machine'
  return paint('red', silent.length === from.length ? 'no machine' : `not from ${silent.join(', ')}`)
}
