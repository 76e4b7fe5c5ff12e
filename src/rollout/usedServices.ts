import { servicesUsed } from '../definitions/uses/variables.ts'
import type { State } from './state.ts'

/** Every service that a running instance or a rollout in progress uses. */
export function usedServices({ instances, rollouts, releases }: Used): ReadonlySet<string> {
  const last = lastUsed.get(instances)
  if (last?.rollouts === rollouts && last.releases === releases) return last.services
  const running = new Set(Object.values(instances).map(({ release }) => release))
  for (const { stage, release } of Object.values(rollouts)) if (stage !== 'finished') running.add(release)
  const definitions = [...running].flatMap((release) => releases[release]?.definition ?? [])
  const services = new Set(definitions.flatMap(({ uses }) => servicesUsed(uses).map(({ service }) => service)))
  lastUsed.set(instances, { rollouts, releases, services })
  return services
}

type Used = Pick<State, 'instances' | 'rollouts' | 'releases'>

/** Computed again only when one of the three has changed: every machine asks after every event. */
const lastUsed = new WeakMap<Used['instances'], Omit<Used, 'instances'> & { services: ReadonlySet<string> }>()
