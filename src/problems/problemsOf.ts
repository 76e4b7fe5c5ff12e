import type { Status } from '../api/views.ts'
import { featureProblems, whyOutOfTraffic } from '../api/features.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'
import { joined } from './joined.ts'
import { unsaidProblems } from './unsaid.ts'

/** Problems that need attention, the most urgent first. Each names the machine, service or address. */
export const problemsOf = (status: Status): StandingProblem[] => joined(statusProblems(status), status)

/** The same, each for itself. */
export function statusProblems(status: Status): StandingProblem[] {
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

function down(of: ServiceStatus): StandingProblem[] {
  const { service, state, release, rollout, instances } = of
  if (state === 'stopped' || release === null || rollout !== null) return []
  const ready = instances.filter((instance) => instance.state === 'ready')
  if (ready.some(({ stale }) => !stale)) return []
  const where = ready.length === 0 ? '' : ' on a machine that reports'
  const text = `${service} has no ready instance${where}`
  const cause = causeOfAll(of)
  const why = cause === null ? {} : { ...placeOf(of, cause), text: `${text}: ${reasonOf(cause)}` }
  return [problem({ tone: 'bad', word: 'down', subject: service, text, service, ...why })]
}

type Instance = ServiceStatus['instances'][number]

const isFailing = ({ state, reason, restarts }: Instance): boolean =>
  state === 'failed' || (reason !== null && restarts > 0)

/** The first failing instance, if all instances fail for one reason: that is one problem. */
function causeOfAll({ instances }: ServiceStatus): Instance | null {
  const [first] = instances
  const isOne = instances.every((one) => isFailing(one) && !one.stale && one.reason === first?.reason)
  return first !== undefined && isOne ? first : null
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

function failing(of: ServiceStatus): StandingProblem[] {
  const { service, instances, rollout } = of
  if (rollout !== null) return []
  const isTold = down(of).length > 0 && causeOfAll(of) !== null
  return (isTold ? [] : instances.filter(isFailing)).map((one) => {
    const subject = `${service} on ${one.machine}`
    const word = one.restarts > 1 ? 'crash loop' : 'failed'
    return problem({ tone: 'bad', word, subject, text: `${subject}: ${reasonOf(one)}`, ...placeOf(of, one) })
  })
}

function reasonOf({ reason, restarts }: Instance): string {
  const often = restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
  return `${reason ?? 'failed'}${often}`
}

/** Where the last lines of the instance are. */
const placeOf = ({ service }: ServiceStatus, { id, machine, since }: Instance): Partial<StandingProblem> => ({
  ...{ since, service, machine, instance: id },
  next: [{ command: `tandem logs ${service} --instance ${id}`, does: '' }],
})

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
