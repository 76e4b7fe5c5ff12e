import type { Status } from '../api/views.ts'
import { featureProblems, whyOutOfTraffic } from '../api/features.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'
import { unsaidProblems } from './unsaid.ts'

/** Problems that need attention, the most urgent first. Each names the machine, service or address. */
export function problemsOf(status: Status): StandingProblem[] {
  const { controller, machines, absent, services } = status
  return [
    ...controller.problems.map((text) =>
      problem({ tone: 'bad', word: 'refuses', subject: 'controller', text: `controller: ${text}` }),
    ),
    ...services.flatMap(down),
    ...machines.flatMap(lost),
    ...featureProblems(status),
    ...absent.map(notJoined),
    ...services.flatMap(failing),
    ...services.flatMap(behind),
    ...services.flatMap(unsaidProblems),
    ...machines.flatMap(reported),
    ...machines.flatMap((machine) => outOfTraffic(status, machine)),
  ]
}

type ServiceStatus = Status['services'][number]
type Machine = Status['machines'][number]

function down({ service, state, release, rollout, instances }: ServiceStatus): StandingProblem[] {
  if (state === 'stopped' || release === null || rollout !== null) return []
  const ready = instances.filter((instance) => instance.state === 'ready')
  if (ready.some(({ stale }) => !stale)) return []
  const where = ready.length === 0 ? '' : ' on a machine that reports'
  const text = `${service} has no ready instance${where}`
  return [problem({ tone: 'bad', word: 'down', subject: service, text, service })]
}

function lost({ name, state, lastSeen }: Machine): StandingProblem[] {
  if (state !== 'lost') return []
  const subject = `machine ${name}`
  const text = `${subject} is lost${lastSeen ? `: its last report was at ${secondOf(lastSeen)}` : ''}`
  const next = [{ command: null, does: 'look at its power and network, then at tandem-agent.service there' }]
  return [problem({ tone: 'bad', word: 'lost', subject, text, next, since: lastSeen, machine: name })]
}

/** `2026-11-29 13:20:49 UTC`. */
const secondOf = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`

function notJoined(name: string): StandingProblem {
  const subject = `machine ${name}`
  const next = [{ command: `tandem machine add ${name}`, does: 'prints the join command' }]
  return problem({ tone: 'warn', word: 'not joined', subject, text: `${subject} has not joined`, next, machine: name })
}

function failing({ service, instances, rollout }: ServiceStatus): StandingProblem[] {
  if (rollout !== null) return []
  return instances
    .filter(({ state, reason, restarts }) => state === 'failed' || (reason !== null && restarts > 0))
    .map(({ id, machine, reason, restarts, since }) => {
      const often = restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
      const subject = `${service} on ${machine}`
      const word = restarts > 1 ? 'crash loop' : 'failed'
      const next = [{ command: `tandem logs ${service} --instance ${id}`, does: '' }]
      const text = `${subject}: ${reason ?? 'failed'}${often}`
      return problem({ tone: 'bad', word, subject, text, next, since, service, machine, instance: id })
    })
}

function behind({ service, behind: machines }: ServiceStatus): StandingProblem[] {
  if (machines.length === 0) return []
  const text = `${service} is behind on ${machines.join(', ')}: another release runs there`
  return [problem({ tone: 'warn', word: 'behind', subject: service, text, service, machine: machines[0] ?? null })]
}

function reported({ name, state, problems }: Machine): StandingProblem[] {
  if (state === 'lost') return []
  const subject = `machine ${name}`
  return problems.map((text) =>
    problem({ tone: 'warn', word: 'reported', subject, text: `${subject}: ${text}`, machine: name }),
  )
}

function outOfTraffic(status: Status, { name, state }: Machine): StandingProblem[] {
  if (state !== 'drained' && state !== 'draining') return []
  const why = whyOutOfTraffic(status, name)
  const subject = `machine ${name}`
  const next = [{ command: `tandem machine ready ${name}`, does: 'puts it back in traffic' }]
  return [why ?? problem({ tone: 'warn', word: state, subject, text: `${subject} is ${state}`, next, machine: name })]
}
