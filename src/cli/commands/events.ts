import { OperatorError } from '../../lib/operatorError.ts'
import { Outage } from '../follow/contact.ts'
import { renderEvent } from '../render/event.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function events(
  session: Session,
  { follow, after }: CommonFlags & { follow: boolean; after: number },
): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const outage = new Outage({ signal, onLost: () => out.note('lost contact with the controller; retrying') })
  let position = after
  let heard = false
  while (!signal.aborted) {
    try {
      const query = { after: position, follow: follow ? 'true' : 'false' } as const
      for await (const { data } of client.stream('events', { query }, { signal })) {
        outage.over()
        heard = true
        position = data.position
        out.object(data)
        out.line(renderEvent(data, out.paint))
        await out.room()
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
