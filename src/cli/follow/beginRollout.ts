import type { ApiClient } from '../../api/client.ts'
import type { Operations, Given, Result } from '../../api/contract.ts'
import type { RolloutView } from '../../api/views.ts'
import { throughOutages, type ContactOptions } from './contact.ts'

type Asked = Given<Operations['startRollout']>['body']
export type Begun = Result<Operations['startRollout']>

/**
 * Starts a rollout exactly once. If contact is lost during the request, checks whether the rollout has started before
 * it retries.
 */
export async function beginRollout(client: ApiClient, asked: Asked, options: ContactOptions): Promise<Begun> {
  const before = await newest(client, asked.service, options)
  let tries = 0
  return throughOutages(async () => {
    if (tries++ > 0) {
      const found = await newest(client, asked.service, options)
      if (found && found.id !== before?.id && isWhatWasAsked(found, asked)) {
        const { release, previous } = found
        return { position: 0, release, previous, rollout: found, warnings: [] }
      }
    }
    return client.call('startRollout', { body: asked }, options.signal)
  }, options)
}

/** A rollout that someone else started while contact was lost must not be mistaken for ours. */
const isWhatWasAsked = ({ kind, release }: RolloutView, asked: Asked): boolean =>
  kind === asked.kind && release.startsWith(asked.release ?? '')

async function newest(client: ApiClient, service: string, { signal }: ContactOptions): Promise<Begun['rollout']> {
  const { rollouts } = await client.call('rollouts', { query: { service, limit: 1 } }, signal)
  return rollouts.at(-1) ?? null
}
