import type { Check } from '../../api/checks.ts'
import type { Numbers } from '../../api/numbers.ts'
import type { ChangeView, Overview, StoreUsage } from '../../api/overview.ts'
import type { Status } from '../../api/views.ts'
import { checkProblems } from '../../problems/checkProblems.ts'
import { numberProblems } from '../../problems/numberProblems.ts'
import { joined } from '../../problems/joined.ts'
import { statusProblems } from '../../problems/problemsOf.ts'
import { recentMoves } from '../../problems/recentMoves.ts'
import { certificatesOf } from '../checks/certificatesOf.ts'

interface Rest {
  checks: readonly Check[]
  store: StoreUsage | null
  series: Parameters<typeof numberProblems>[2]
}

export function overviewOf(
  status: Status,
  numbers: Numbers,
  changes: ChangeView[],
  { checks, store, series }: Rest,
): Overview {
  const flight: Record<string, number> = {}
  const services = status.services.map((service) => ({
    ...service,
    instances: service.instances.map(({ work, ...instance }) => {
      flight[instance.id] = work
      return instance
    }),
  }))
  const known = statusProblems(status)
  const told = joined([...known, ...numberProblems(numbers, known, series)], status, changes)
  // News stand before notices that have been there for days.
  const all = [...recentMoves(status, numbers.at), ...told, ...checkProblems(status, checks, told)]
  const wrong = [...all.filter(({ tone }) => tone === 'bad'), ...all.filter(({ tone }) => tone === 'warn')]
  return {
    ...{ ...status, services, work: flight, ...figuresOf(numbers), wrong, changes, store },
    certificates: certificatesOf(checks),
    checkups: checks.map(({ machine, at, checked, findings }) => ({
      ...{ machine, at, areas: checked.length },
      wrong: findings.filter(({ level }) => level === 'wrong').length,
    })),
  }
}

/** Fewer digits: numbers that look the same are not sent again. */
function figuresOf({ machines, services }: Numbers): Pick<Overview, 'load' | 'cells' | 'rates'> {
  const several = services.filter(({ instances }) => instances.length > 1).flatMap(({ instances }) => instances)
  return {
    load: Object.fromEntries(
      machines.map(({ machine, cpu, memory, disk, missing }) => [
        machine,
        { cpu: rounded(cpu, 2), memory: usedOf(memory), disk: usedOf(disk), missing },
      ]),
    ),
    cells: Object.fromEntries(
      services.map(({ service, machine, perSecond, errors, held }) => [
        `${service} ${machine}`,
        { perSecond: significant(perSecond), errors: rounded(errors, 4), held },
      ]),
    ),
    rates: Object.fromEntries(several.map(({ instance, perSecond }) => [instance, significant(perSecond)])),
  }
}

const rounded = (value: number | null, digits: number): number | null =>
  value === null ? null : Number(value.toFixed(digits))

const significant = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(3)))

const usedOf = (used: Numbers['machines'][number]['memory']): number | null =>
  used === null || used.totalBytes === 0 ? null : rounded(used.usedBytes / used.totalBytes, 2)
