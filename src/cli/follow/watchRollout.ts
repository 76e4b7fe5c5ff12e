import type { ApiClient } from '../../api/client.ts'
import type { RolloutView } from '../../api/views.ts'
import { withPrepare } from '../render/withPrepare.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { isOutage, Outage, type ContactOptions } from './contact.ts'

/**
 * Yields a rollout at each change, up to its end. Continues when the controller restarts. Throws `E_CONTACT_LOST`, with
 * the id of the rollout, if the controller stays unreachable.
 */
export async function* watchRollout(
  client: ApiClient,
  id: string,
  options: ContactOptions,
): AsyncGenerator<RolloutView, void> {
  const outage = new Outage(options)
  for (let last = ''; ;) {
    try {
      for await (const { data } of client.stream('watchRollout', { params: { id } }, { signal: options.signal })) {
        outage.over()
        const text = JSON.stringify(data)
        if (text !== last) yield withPrepare(data)
        last = text
        if (data.finishedAt !== null) return
      }
      options.signal.throwIfAborted()
      await outage.wait(ended(client.endpoint.url))
    } catch (error) {
      await outage.wait(error).catch((final: unknown) => {
        throw isOutage(final) ? contactLost(id, final) : final
      })
    }
  }
}

/** A stream that ends before the rollout does means that the controller is shutting down. */
const ended = (url: string): OperatorError =>
  new OperatorError('E_CONTROLLER_UNREACHABLE', `the controller at ${url} ended the stream`, { subject: url })

export function contactLost(rollout: string, cause: unknown): OperatorError {
  return new OperatorError('E_CONTACT_LOST', `contact with the controller was lost; rollout ${rollout} continues`, {
    subject: rollout,
    next: `when the controller answers again:  tandem rollout show ${rollout}`,
    cause,
  })
}
