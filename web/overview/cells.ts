import type { Overview } from '../../src/api/overview.ts'
import type { StateName } from '../lib/states.ts'
import { span } from '../lib/time.ts'

/** One line of a cell: instances of one service on one machine that are in the same state. */
export interface Line {
  state: StateName
  release: string | null
  /** Ready and wanted instances, where there is more than one: `1/2`. */
  many: string | null
  /** A word behind the release. */
  more: string | null
  /** A sentence in place of the numbers, which would say nothing. */
  sentence: string | null
  /** Where the cause can be read. */
  lastLines: string | null
  age: string | null
  inFlight: number | null
  perSecond: number | null
  errors: number | null
  isBad: boolean
}

export type Service = Overview['services'][number]
type Instance = Service['instances'][number]

/** Everything about one service on one machine, the line that takes requests first. */
export function cellOf(overview: Overview, service: Service, machine: string, now: number): Line[] {
  const here = service.instances.filter((one) => one.machine === machine)
  if (here.length === 0) return [emptyCell(service, machine)]
  const isLost = overview.machines.find(({ name }) => name === machine)?.state === 'lost'
  if (isLost) return [lostCell(here, now)]
  const groups = Map.groupBy(here, (one) => `${stateOf(service, one)} ${one.release}`)
  const lines = [...groups.values()].map((group) => lineOf(overview, service, group, now))
  const [first] = lines
  // The balancer counts by service and machine: with one line, its numbers are those of the line.
  if (lines.length === 1 && first && first.sentence === null) {
    const cell = overview.cells[`${service.service} ${machine}`]
    return [{ ...first, perSecond: cell?.perSecond ?? null, errors: cell?.errors ?? null }]
  }
  return lines.toSorted((a, b) => order(a) - order(b))
}

/** The line whose numbers fill the columns of a cell; `null`: the cell needs words. */
export function numbered(lines: readonly Line[]): Line | null {
  const [line, ...others] = lines
  return line && others.length === 0 && line.sentence === null && line.perSecond !== null ? line : null
}

const order = ({ state }: Line): number => ['ready', 'starting', 'draining'].indexOf(state)

const nothing = {
  ...{ release: null, many: null, more: null, sentence: null, lastLines: null, age: null },
  ...{ inFlight: null, perSecond: null, errors: null, isBad: false },
}

function emptyCell({ state, rollout }: Service, machine: string): Line {
  if (state === 'stopped') return { ...nothing, state: 'stopped' }
  const isWaiting = rollout?.machines.some((one) => one.machine === machine && one.state === 'waiting') === true
  return { ...nothing, state: isWaiting ? 'waiting' : 'unplaced' }
}

function lostCell(here: Instance[], now: number): Line {
  const [first] = here
  const unseen = first?.stale ? 'not seen by this controller' : 'its state then is not known'
  const seen = first?.asOf ? `last seen ${span(now - Date.parse(first.asOf))} ago` : unseen
  return { ...nothing, state: 'lost', release: first?.release ?? null, sentence: seen, isBad: true }
}

export const isFailing = ({ state, reason, restarts }: Instance): boolean =>
  state === 'failed' || (reason !== null && restarts > 0)

function stateOf({ behind }: Service, instance: Instance): StateName {
  if (isFailing(instance)) return instance.restarts > 1 ? 'crashing' : 'failed'
  if (instance.state === 'ready' && behind.includes(instance.machine)) return 'behind'
  return instance.state
}

function lineOf(overview: Overview, service: Service, group: Instance[], now: number): Line {
  const [first] = group
  if (!first) return { ...nothing, state: 'unplaced' }
  const state = stateOf(service, first)
  const known = { ...nothing, state, release: first.release, age: ageOf(group, now) }
  if (state === 'crashing' || state === 'failed') return { ...known, ...failing(service, first) }
  const work = group.flatMap(({ id }) => overview.work[id] ?? [])
  // The past holds no work.
  const inFlight = work.length === 0 ? null : work.reduce((sum, one) => sum + one, 0)
  if (state === 'draining') return { ...known, inFlight, sentence: inFlightOf(inFlight), age: null }
  const rates = group.map(({ id }) => overview.rates[id] ?? null).filter((one) => one !== null)
  return {
    ...{ ...known, inFlight },
    perSecond: rates.length === 0 ? null : rates.reduce((sum, one) => sum + one, 0),
    many: group.length > 1 ? String(group.length) : null,
    more: moreOf(service, first),
  }
}

const inFlightOf = (work: number | null): string => (work === null ? 'work not recorded' : `${work} in flight`)

function failing({ service }: Service, { id, reason, restarts }: Instance): Partial<Line> {
  const often = restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
  const lastLines = `/logs/${encodeURIComponent(service)}?instance=${encodeURIComponent(id)}`
  return { sentence: `${reason ?? 'failed'}${often}`, lastLines, isBad: true, age: null }
}

/** While a rollout runs, both releases may stand in a cell. */
function moreOf({ rollout }: Service, { machine, release }: Instance): string | null {
  if (!rollout) return null
  const at = rollout.machines.find((one) => one.machine === machine)
  if (at?.state === 'waiting') return 'waits for its turn'
  return release === rollout.release && rollout.previous !== release ? 'new' : null
}

function ageOf(group: Instance[], now: number): string | null {
  const since = group.flatMap((one) => (one.since === null ? [] : [Date.parse(one.since)]))
  return since.length === 0 ? null : span(now - Math.min(...since))
}

export const filters = ['all', 'not well', 'changing', 'stopped'] as const
export type Filter = (typeof filters)[number]

/** The services that a filter shows. */
export function shown({ services, machines, wrong }: Overview, filter: Filter): Service[] {
  const lost = new Set(machines.flatMap(({ name, state }) => (state === 'lost' ? [name] : [])))
  switch (filter) {
    case 'all':
      return services
    case 'not well':
      return services.filter(
        ({ service, behind, instances }) =>
          behind.length > 0 ||
          wrong.some((one) => one.service === service && one.tone === 'bad') ||
          instances.some((one) => isFailing(one) || one.stale || lost.has(one.machine)),
      )
    case 'changing':
      return services.filter(({ rollout }) => rollout !== null)
    case 'stopped':
      return services.filter(({ state }) => state === 'stopped')
  }
}
