import type { Status } from '../../api/views.ts'
import { featureProblems, whyOutOfTraffic } from '../features.ts'
import { unsaidLines } from './access.ts'

/** Problems that need attention, the most urgent first. Each names the machine, service or address. */
export function problemsOf(status: Status): string[] {
  const { controller, machines, absent, services } = status
  return [
    ...controller.problems.map((problem) => `controller: ${problem}`),
    ...services.flatMap(down),
    ...machines.flatMap(({ name, state, lastSeen }) =>
      state === 'lost' ? [`machine ${name} is lost${lastSeen ? `: its last report was at ${lastSeen}` : ''}`] : [],
    ),
    ...featureProblems(status),
    ...absent.map((name) => `machine ${name} has not joined; tandem machine add ${name} prints the join command`),
    ...services.flatMap(failing),
    ...services.flatMap(({ service, behind }) =>
      behind.length > 0 ? [`${service} is behind on ${behind.join(', ')}: another release runs there`] : [],
    ),
    ...services.flatMap(unsaidLines),
    ...machines.flatMap(({ name, problems }) => problems.map((problem) => `machine ${name}: ${problem}`)),
    ...machines.flatMap((machine) => outOfTraffic(status, machine)),
  ]
}

function outOfTraffic(status: Status, { name, state }: Status['machines'][number]): string[] {
  if (state !== 'drained' && state !== 'draining') return []
  const why = whyOutOfTraffic(status, name)
  return [why ?? `machine ${name} is ${state}; tandem machine ready ${name} puts it back in traffic`]
}

type ServiceStatus = Status['services'][number]

function down({ service, state, release, rollout, instances }: ServiceStatus): string[] {
  if (state === 'stopped' || release === null || rollout !== null) return []
  const ready = instances.filter((instance) => instance.state === 'ready')
  if (ready.length === 0) return [`${service} has no ready instance`]
  return ready.some(({ stale }) => !stale) ? [] : [`${service} has no ready instance on a machine that reports`]
}

function failing({ service, instances, rollout }: ServiceStatus): string[] {
  if (rollout !== null) return []
  return instances
    .filter(
      ({ state, reason, restarts }) => state === 'failed' || (reason !== null && restarts > 0 && state !== 'ready'),
    )
    .map(({ id, machine, reason, restarts }) => {
      const often = restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
      return `${service} on ${machine}: ${reason ?? 'failed'}${often}; tandem logs ${service} --instance ${id}`
    })
}
