import type { Status } from '../../api/views.ts'
import { unsaidLines } from './access.ts'

/** What somebody should look at, most urgent first, in words that name it. */
export function problemsOf({ machines, absent, services, addresses }: Status): string[] {
  return [
    ...services.flatMap(down),
    ...machines.flatMap(({ name, state, lastSeen }) =>
      state === 'lost' ? [`machine ${name} is lost${lastSeen ? `: last heard of at ${lastSeen}` : ''}`] : [],
    ),
    ...addresses.flatMap(unheld),
    ...absent.map((name) => `machine ${name} has not joined; tandem machine add ${name} prints the command`),
    ...services.flatMap(failing),
    ...services.flatMap(({ service, behind }) =>
      behind.length > 0 ? [`${service} is behind on ${behind.join(', ')}: another release runs there`] : [],
    ),
    ...services.flatMap(unsaidLines),
    ...machines.flatMap(({ name, problems }) => problems.map((problem) => `machine ${name}: ${problem}`)),
    ...machines.flatMap(({ name, state }) =>
      state === 'drained' || state === 'draining'
        ? [`machine ${name} is ${state}; tandem machine ready ${name} puts it back`]
        : [],
    ),
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
  return instances.some((instance) => instance.state === 'ready') ? [] : [`${service} has no ready instance`]
}

function failing({ service, instances, rollout }: ServiceStatus): string[] {
  if (rollout !== null) return []
  return instances
    .filter(
      ({ state, reason, restarts }) => state === 'failed' || (reason !== null && restarts > 0 && state !== 'ready'),
    )
    .map(({ id, machine, reason, restarts }) => {
      const often = restarts > 0 ? `, started again ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
      return `${service} on ${machine}: ${reason ?? 'failed'}${often}; tandem logs ${service} --instance ${id}`
    })
}
