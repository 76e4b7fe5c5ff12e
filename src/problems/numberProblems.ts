import type { Numbers, NumbersSeries } from '../api/numbers.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'
import { diskFull } from './checkProblems.ts'

/** From this share of errors on, users notice: a few that fail on their own are left to the numbers. */
const leastErrors = 0.05
/** Fewer errors in the minute may be one user who tries again. */
const fewestErrors = 5
/** With less, a disk counts as full: the next file that a service writes may not fit. */
const [leastFreeBytes, leastFreeShare] = [64 * 1024 ** 2, 0.05]

/** After this long without errors, later ones are another failure. */
const calmMs = 60_000
/** Numbers are kept a little longer: what began before is not known. */
const knownMs = 870_000

/**
 * Problems that only the numbers show. `told`: those that are known already. `series`: the last 15 minutes of machines
 * and a service (`null`: of machines only), to say since when.
 */
export function numberProblems(
  { machines, services }: Numbers,
  told: readonly StandingProblem[],
  series: (service: string | null) => NumbersSeries,
): StandingProblem[] {
  const live = machines.filter(({ missing }) => missing === null)
  const rows = services.filter(({ machine }) => live.some((one) => one.machine === machine))
  const isTold = (name: string): boolean => told.some(({ service, tone }) => service === name && tone === 'bad')
  return [
    ...live.flatMap((one) => fullDisk(one, series)),
    ...[...Map.groupBy(rows, ({ service }) => service)].flatMap(([service, all]) =>
      isTold(service) ? [] : failingRequests(service, all, series),
    ),
  ]
}

type Series = Parameters<typeof numberProblems>[2]

function failingRequests(service: string, rows: Numbers['services'], series: Series): StandingProblem[] {
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
  const since = sinceOf(errorTimes(series(service), machines))
  return [problem({ tone: 'bad', word: 'errors', subject: service, text, next, since, service, machine })]
}

/** Ends of the intervals in which many requests failed. */
function errorTimes({ instances, balancers }: NumbersSeries, machines: readonly string[]): number[] {
  const rows = [
    ...instances.map(({ errorsPerSecond: errors, perSecond: all, ...one }) => ({ ...one, errors, all })),
    ...balancers.map(({ ownErrorsPerSecond: errors, ownPerSecond: all, ...one }) => ({ ...one, errors, all })),
  ]
  return rows.flatMap(({ machine, at, errors, all }) =>
    machines.includes(machine)
      ? at.filter((_, index) => (errors[index] ?? 0) > 0 && (errors[index] ?? 0) >= (all[index] ?? 0) * leastErrors)
      : [],
  )
}

/** The first of the times that follow each other up to the newest. `null`: it was before the numbers begin. */
function sinceOf(times: readonly number[]): string | null {
  const [newest, ...earlier] = times.toSorted((a, b) => b - a)
  if (newest === undefined) return null
  let first = newest
  for (const at of earlier) {
    if (first - at > calmMs) break
    first = at
  }
  return newest - first > knownMs ? null : new Date(first).toISOString()
}

/** Roughly, so that the sentence stays while the numbers move. */
function inWords(share: number): string {
  if (share > 0.99) return 'all'
  const percent = Math.round(share * 100)
  return `about ${percent < 10 ? percent : Math.min(95, Math.round(percent / 10) * 10)} % of its`
}

function fullDisk({ machine, disk }: Numbers['machines'][number], series: Series): StandingProblem[] {
  if (disk === null) return []
  const free = disk.totalBytes - disk.usedBytes
  if (free >= leastFreeBytes || free >= disk.totalBytes * leastFreeShare) return []
  const subject = `machine ${machine}`
  const text = `${subject}: its disk is full: ${mebibytes(free)} of ${mebibytes(disk.totalBytes)} left where Tandem and services keep their data`
  const next = [
    { command: `tandem doctor --machine ${machine}`, does: 'prints the command that finds the large files' },
  ]
  const { at = [], disk: shares = [] } = series(null).machines.find((one) => one.machine === machine) ?? {}
  const since = sinceOf(at.filter((_, index) => (shares[index] ?? 0) > 1 - leastFreeShare))
  return [problem({ tone: 'bad', word: diskFull, subject, text, next, since, machine })]
}

const mebibytes = (bytes: number): string =>
  bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : `${Math.floor(bytes / 1024 ** 2)} MiB`
