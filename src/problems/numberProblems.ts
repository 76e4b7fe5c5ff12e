import type { Numbers } from '../api/numbers.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'

/** From this share of errors on, users notice: a few that fail on their own are left to the numbers. */
const leastErrors = 0.05
/** Fewer errors in the minute may be one user who tries again. */
const fewestErrors = 5
/** With less, a disk counts as full: the next file that a service writes may not fit. */
const [leastFreeBytes, leastFreeShare] = [64 * 1024 ** 2, 0.05]

/** The word of a full disk. A checkup finds the same, minutes later. */
export const diskFull = 'disk full'

/** Problems that only the numbers of the last minute show. `told`: those that are known already. */
export function numberProblems({ machines, services }: Numbers, told: readonly StandingProblem[]): StandingProblem[] {
  const live = machines.filter(({ missing }) => missing === null)
  const rows = services.filter(({ machine }) => live.some((one) => one.machine === machine))
  const isTold = (name: string): boolean => told.some(({ service, tone }) => service === name && tone === 'bad')
  return [
    ...live.flatMap(fullDisk),
    ...[...Map.groupBy(rows, ({ service }) => service)].flatMap(([service, all]) =>
      isTold(service) ? [] : failingRequests(service, all),
    ),
  ]
}

function failingRequests(service: string, rows: Numbers['services']): StandingProblem[] {
  const bad = rows.filter(
    ({ perSecond, errors }) =>
      errors !== null && errors >= leastErrors && (perSecond ?? 0) * errors * 60 >= fewestErrors,
  )
  if (bad.length === 0) return []
  const requests = bad.reduce((sum, { perSecond }) => sum + (perSecond ?? 0), 0)
  const failed = bad.reduce((sum, { perSecond, errors }) => sum + (perSecond ?? 0) * (errors ?? 0), 0)
  const machines = bad.map(({ machine }) => machine)
  const text = `${service} answers ${inWords(failed / requests)} requests on ${machines.join(' and ')} with errors`
  const next = [{ command: `tandem logs ${service} --since 5m`, does: 'shows its output' }]
  const machine = machines.length === 1 ? (machines[0] ?? null) : null
  return [problem({ tone: 'bad', word: 'errors', subject: service, text, next, service, machine })]
}

/** Roughly, so that the sentence stays while the numbers move. */
function inWords(share: number): string {
  if (share > 0.99) return 'all'
  const percent = Math.round(share * 100)
  return `about ${percent < 10 ? percent : Math.min(95, Math.round(percent / 10) * 10)} % of its`
}

function fullDisk({ machine, disk }: Numbers['machines'][number]): StandingProblem[] {
  if (disk === null) return []
  const free = disk.totalBytes - disk.usedBytes
  if (free >= leastFreeBytes || free >= disk.totalBytes * leastFreeShare) return []
  const subject = `machine ${machine}`
  const text = `${subject}: its disk is full: ${mebibytes(free)} of ${mebibytes(disk.totalBytes)} left where Tandem and services keep their data`
  const next = [{ command: `tandem doctor --machine ${machine}`, does: 'says how to find the large files' }]
  return [problem({ tone: 'bad', word: diskFull, subject, text, next, machine })]
}

const mebibytes = (bytes: number): string =>
  bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : `${Math.floor(bytes / 1024 ** 2)} MiB`
