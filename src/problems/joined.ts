import { problem, type StandingProblem } from '../api/standingProblem.ts'
import type { ChangeView } from '../api/overview.ts'
import type { Status } from '../api/views.ts'
import { diskFull } from './checkProblems.ts'

type ServiceStatus = Status['services'][number]
type Services = Pick<Status, 'services'>

/**
 * Adds to each problem of a service that users notice the facts around it that may be its cause: a service that it uses
 * does not serve, the disk of its machine is full, or somebody changed it right before (`changes`, the newest first). A
 * service that has no such problem, but uses one that is stopped, gets a warning of its own.
 */
export function joined(
  problems: readonly StandingProblem[],
  status: Services,
  changes: readonly ChangeView[] = [],
): StandingProblem[] {
  const full = new Set(problems.flatMap(({ word, machine }) => (word === diskFull ? [machine] : [])))
  const isBad = ({ service }: ServiceStatus): boolean =>
    problems.some((one) => one.tone === 'bad' && one.service === service)
  return [
    ...problems.map((one) => withFacts(one, { status, changes, full })),
    ...status.services.flatMap((service) => (isBad(service) ? [] : usesStopped(service, { status, changes }))),
  ]
}

interface Around {
  status: Services
  changes: readonly ChangeView[]
}

function withFacts(
  one: StandingProblem,
  { status, changes, full }: Around & { full: Set<string | null> },
): StandingProblem {
  const service = status.services.find(({ service: name }) => name === one.service)
  if (one.tone !== 'bad' || !service) return one
  const uses = notServing(service, status)
  const machines = one.machine === null ? service.instances.map(({ machine }) => machine) : [one.machine]
  const facts = [
    ...uses.map(({ name, state }) => `it uses ${name}, which ${state}${stoppedBy(name, state, changes)}`),
    ...[...new Set(machines)].filter((name) => full.has(name)).map((name) => `the disk of machine ${name} is full`),
    ...changedBefore(one, changes),
  ]
  return {
    ...one,
    text: [one.text, ...facts].join('; '),
    next: [...one.next, ...uses.flatMap(starts)],
  }
}

interface NotServing {
  name: string
  state: 'is stopped' | 'has no ready instance' | 'is not deployed'
  optional: boolean
}

function notServing({ uses = [] }: ServiceStatus, { services }: Services): NotServing[] {
  return uses.flatMap(({ service: name, optional }) => {
    const used = services.find(({ service }) => service === name)
    const state = stateOf(used)
    return state === null ? [] : [{ name, state, optional }]
  })
}

/** `null`: it serves. */
function stateOf(used: ServiceStatus | undefined): NotServing['state'] | null {
  if (!used || used.release === null) return 'is not deployed'
  if (used.state === 'stopped') return 'is stopped'
  return used.instances.some(({ state, stale }) => state === 'ready' && !stale) ? null : 'has no ready instance'
}

const starts = ({ name, state }: NotServing): StandingProblem['next'] =>
  state === 'is stopped' ? [{ command: `tandem start ${name}`, does: '' }] : []

/** The problems of a service that is down say the other states. */
function usesStopped(of: ServiceStatus, { status, changes }: Around): StandingProblem[] {
  const { service, state, release } = of
  if (state === 'stopped' || release === null) return []
  return notServing(of, status)
    .filter(({ state: is, optional }) => is === 'is stopped' && !optional)
    .map((used) => {
      const text = `${service} uses ${used.name}, which is stopped${stoppedBy(used.name, used.state, changes)}`
      return problem({ tone: 'warn', word: 'stopped', subject: service, text, next: starts(used), service })
    })
}

/** Numbers tell errors some seconds late, and a new release may fail only with the first requests. */
const [beforeMs, afterMs] = [120_000, 10_000]

/** The newest change that a person made to the service right before the problem began. */
function changedBefore({ service, since }: StandingProblem, changes: readonly ChangeView[]): string[] {
  if (since === null) return []
  const began = Date.parse(since)
  const change = changes.find((one) => {
    const at = Date.parse(one.at)
    return one.service === service && one.by !== null && at >= began - beforeMs && at <= began + afterMs
  })
  return change ? [`at ${timeOf(change.at)}, by ${change.by}: ${change.text}`] : []
}

function stoppedBy(name: string, state: NotServing['state'], changes: readonly ChangeView[]): string {
  const change = state === 'is stopped' ? changes.find(({ service, by }) => service === name && by !== null) : undefined
  return change ? ` (by ${change.by}, ${timeOf(change.at)})` : ''
}

/** `13:20:49 UTC`. */
const timeOf = (at: string): string => `${at.slice(11, 19)} UTC`
