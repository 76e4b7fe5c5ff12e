import type { ApiClient } from '../../api/client.ts'
import type { Given, Operations, Result } from '../../api/contract.ts'
import type { EventView } from '../../api/views.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { Outage } from '../follow/contact.ts'
import { renderEvent } from '../render/event.ts'
import { newerCall } from '../tooOld.ts'
import type { CommonFlags, Session } from '../session.ts'

type EventsFlags = CommonFlags & {
  follow: boolean
  after: number
  last?: number
  service?: string
  machine?: string
  rollout?: string
  type?: string
  by?: string
  changes: boolean
  people: boolean
  failures: boolean
  from?: number
}
const switches = ['changes', 'people', 'failures'] as const
type Filter = Pick<EventsFlags, 'service' | 'machine' | 'rollout' | 'type' | 'by'> &
  Partial<Record<(typeof switches)[number], 'true'>>

/** Most events that one call returns. */
const page = 1_000

export async function events(session: Session, { follow, after, last, from, ...flags }: EventsFlags): Promise<number> {
  if (from !== undefined && follow) {
    const message = '--from and --follow cannot be given together'
    throw new OperatorError('E_USAGE', message, { subject: '--from', next: 'tandem events --help' })
  }
  const { out, signal } = session
  const client = await session.client()
  const filter = filterOf(flags)
  const outage = new Outage({ signal, onLost: () => out.note('lost contact with the controller; retrying') })
  let position = after
  let heard = false
  const show = async (event: EventView): Promise<void> => {
    out.object(event)
    out.line(renderEvent(event, out.paint))
    await out.room()
  }
  if (last !== undefined || from !== undefined) {
    const origin = from === undefined ? {} : { follows: from }
    const found = await newest(client, { ...filter, ...origin }, { after, count: last ?? page }, signal)
    for (const event of found.events) await show(event)
    if (!follow) return 0
    position = found.end
  }
  while (!signal.aborted) {
    try {
      const query = { ...filter, after: position, follow: follow ? 'true' : 'false' } as const
      for await (const { data } of client.stream('events', { query }, { signal })) {
        outage.over()
        heard = true
        position = data.position
        await show(data)
      }
      if (!follow || signal.aborted) break
      const message = 'the controller ended the stream'
      await outage.wait(new OperatorError('E_CONTROLLER_UNREACHABLE', message, { subject: client.endpoint.url }))
    } catch (error) {
      if (signal.aborted) break
      if (!follow && !heard) throw error
      await outage.wait(error)
    }
  }
  return signal.aborted ? session.interrupts.exitCode() : 0
}

/** Only the given flags: an older controller refuses fields that it does not know. */
const filterOf = ({
  service,
  machine,
  rollout,
  type,
  by,
  ...flags
}: Omit<EventsFlags, 'follow' | 'after'>): Filter => ({
  ...Object.fromEntries(
    Object.entries({ service, machine, rollout, type, by }).filter(([, value]) => value !== undefined),
  ),
  ...Object.fromEntries(switches.filter((name) => flags[name]).map((name) => [name, 'true'])),
})

/** The newest events that match, oldest first, and the end of the log. */
async function newest(
  client: ApiClient,
  filter: Filter & { follows?: number },
  { after, count }: { after: number; count: number },
  signal: AbortSignal,
): Promise<{ events: EventView[]; end: number }> {
  const found: EventView[] = []
  let before: number | null = null
  let end: number | null = null
  while (found.length < count) {
    const limit = Math.min(page, count - found.length)
    const query: Given<Operations['findEvents']>['query'] = {
      ...filter,
      after,
      limit,
      ...(before === null ? {} : { before }),
    }
    const answer: Result<Operations['findEvents']> = await newerCall(
      client,
      'findEvents',
      { query },
      { lacks: 'no search for events', signal },
    )
    found.push(...answer.events)
    end ??= answer.position
    before = answer.next
    if (before === null) break
  }
  return { events: found.toReversed(), end: end ?? after }
}
