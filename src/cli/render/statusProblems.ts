import type { Status } from '../../api/views.ts'
import { machineAt, maintenanceTitle } from './maintenance.ts'
import { unsaidLines } from './access.ts'

/** Problems that need attention, the most urgent first. Each names the machine, service or address. */
export function problemsOf({ controller, machines, absent, services, addresses, maintenance }: Status): string[] {
  return [
    ...controller.problems.map((problem) => `controller: ${problem}`),
    ...services.flatMap(down),
    ...machines.flatMap(({ name, state, lastSeen }) =>
      state === 'lost' ? [`machine ${name} is lost${lastSeen ? `: its last report was at ${lastSeen}` : ''}`] : [],
    ),
    ...addresses.flatMap(unheld),
    ...absent.map((name) => `machine ${name} has not joined; tandem machine add ${name} prints the join command`),
    ...services.flatMap(failing),
    ...services.flatMap(({ service, behind }) =>
      behind.length > 0 ? [`${service} is behind on ${behind.join(', ')}: another release runs there`] : [],
    ),
    ...services.flatMap(unsaidLines),
    ...machines.flatMap(({ name, problems }) => problems.map((problem) => `machine ${name}: ${problem}`)),
    ...machines.flatMap((machine) => outOfTraffic(machine, maintenance)),
  ]
}

function outOfTraffic({ name, state }: Status['machines'][number], maintenance: Status['maintenance']): string[] {
  if (state !== 'drained' && state !== 'draining') return []
  const isLeft = maintenance?.state === 'stopped' && machineAt(maintenance) === name
  if (!isLeft) return [`machine ${name} is ${state}; tandem machine ready ${name} puts it back in traffic`]
  const stays = `machine ${name} reports but is ${state}, because the ${maintenanceTitle(maintenance)} stopped there`
  return [
    `${stays}; tandem maintenance resume continues it, tandem machine ready ${name} puts the machine back in traffic without it`,
  ]
}

function unheld({ address, holder, why, refused }: Status['addresses'][number]): string[] {
  if (holder === null) return [`no machine holds ${address}: ${why}`]
  if (refused.length === 0) return []
  return [`${refused.join(' and ')} and ${holder} do not hear each other: ${address} was given to ${holder}`]
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
