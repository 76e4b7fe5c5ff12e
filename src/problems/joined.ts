import { problem, type StandingProblem } from '../api/standingProblem.ts'
import type { Status } from '../api/views.ts'
import { diskFull } from './checkProblems.ts'

type ServiceStatus = Status['services'][number]
type Services = Pick<Status, 'services'>

/**
 * Adds to each problem of a service that users notice the facts around it that may be its cause: a service that it uses
 * does not serve, or the disk of its machine is full. A service that has no such problem, but uses one that is stopped,
 * gets a warning of its own.
 */
export function joined(problems: readonly StandingProblem[], status: Services): StandingProblem[] {
  const full = new Set(problems.flatMap(({ word, machine }) => (word === diskFull ? [machine] : [])))
  const isBad = ({ service }: ServiceStatus): boolean =>
    problems.some((one) => one.tone === 'bad' && one.service === service)
  return [
    ...problems.map((one) => withFacts(one, status, full)),
    ...status.services.flatMap((service) => (isBad(service) ? [] : usesStopped(service, status))),
  ]
}

function withFacts(one: StandingProblem, status: Services, full: Set<string | null>): StandingProblem {
  const service = status.services.find(({ service: name }) => name === one.service)
  if (one.tone !== 'bad' || !service) return one
  const uses = notServing(service, status)
  const machines = one.machine === null ? service.instances.map(({ machine }) => machine) : [one.machine]
  const facts = [
    ...uses.map(({ name, state }) => `it uses ${name}, which ${state}`),
    ...[...new Set(machines)].filter((name) => full.has(name)).map((name) => `the disk of machine ${name} is full`),
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
function usesStopped(of: ServiceStatus, status: Services): StandingProblem[] {
  const { service, state, release } = of
  if (state === 'stopped' || release === null) return []
  return notServing(of, status)
    .filter(({ state: is, optional }) => is === 'is stopped' && !optional)
    .map((used) => {
      const text = `${service} uses ${used.name}, which is stopped`
      return problem({ tone: 'warn', word: 'stopped', subject: service, text, next: starts(used), service })
    })
}
