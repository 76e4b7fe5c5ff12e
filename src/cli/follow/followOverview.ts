import type { ApiClient } from '../../api/client.ts'
import { overviewSchema, type Live, type Overview } from '../../api/overview.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { BaseMismatch } from '../../lib/following.ts'
import { readDifference } from '../../protocol/readDifference.ts'
import { tooOld } from '../tooOld.ts'
import { Outage, type ContactOptions } from './contact.ts'

const watchByHand = 'watch tandem status   shows it every 2 s; tandem upgrade   upgrades the controller'

/**
 * Yields the overview whole at each of its changes, until `signal` aborts. Waits through outages of the controller
 * without an end, but throws when the first contact fails.
 */
export async function* followOverview(
  client: ApiClient,
  { signal, ...heard }: Pick<ContactOptions, 'signal' | 'onLost' | 'onBack'>,
): AsyncIterable<Overview> {
  const outage = new Outage({ signal, ...heard, limitMs: Number.POSITIVE_INFINITY })
  let known: Overview | null = null
  while (!signal.aborted) {
    try {
      for await (const { data } of client.stream('live', {}, { signal })) {
        outage.over()
        const next = following(known, data)
        if (next !== known && next !== null) yield next
        known = next
      }
      if (signal.aborted) return
      throw ended(client)
    } catch (error) {
      if (signal.aborted) return
      if (known === null) throw tooOld(error, client.endpoint.url, 'no live overview', watchByHand)
      try {
        // A difference that does not follow: the next stream begins with a whole overview.
        await outage.wait(error instanceof BaseMismatch ? ended(client) : error)
      } catch (late) {
        if (!signal.aborted) throw late
      }
    }
  }
}

const ended = ({ endpoint: { url } }: ApiClient): OperatorError =>
  new OperatorError('E_CONTROLLER_UNREACHABLE', 'the controller ended the stream', { subject: url })

function following(known: Overview | null, message: Live): Overview | null {
  switch (message.kind) {
    case 'whole':
      return message.overview
    case 'change':
      if (known === null) throw new BaseMismatch('the stream began with a difference')
      return readDifference(overviewSchema, known, message.change)
    case 'beat':
    case 'tail':
      return known
  }
}
