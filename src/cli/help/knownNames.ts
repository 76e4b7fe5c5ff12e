import { featureKnown } from '../features.ts'
import type { Session } from '../session.ts'

export type Known = 'services' | 'machines' | 'instances' | 'rollouts' | 'contexts' | keyof typeof featureKnown

/** Longest wait of a Tab key for the controller, in milliseconds. */
const answerMs = 1_000
const mostRollouts = 50

/** Names for completion. None when the cluster does not answer in time: a Tab key must not print errors. */
export async function knownNames(session: Session, kind: Known): Promise<string[]> {
  if (kind === 'contexts') return session.contexts.list()
  const signal = AbortSignal.any([session.signal, AbortSignal.timeout(answerMs)])
  try {
    const client = await session.client()
    if (kind === 'rollouts') {
      const { rollouts } = await client.call('rollouts', { query: { limit: mostRollouts } }, signal)
      return rollouts.map(({ id }) => id)
    }
    const { services, machines } = await client.call('status', {}, signal)
    switch (kind) {
      case 'services':
        return services.map(({ service }) => service)
      case 'machines':
        return machines.map(({ name }) => name)
      case 'instances':
        return services.flatMap(({ instances }) => instances.map(({ id }) => id))
      default:
        return await featureKnown[kind](client, signal)
    }
  } catch {
    return []
  }
}
