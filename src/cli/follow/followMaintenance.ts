import type { ApiClient } from '../../api/client.ts'
import type { EventView, MaintenanceView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import { renderMaintenance } from '../render/maintenance.ts'
import type { Session } from '../session.ts'
import { contactLostNote, Outage } from './contact.ts'

/** Follows maintenance to its end: a line as each step of a machine is over. Resolves with the exit code. */
export async function followMaintenance(
  session: Session,
  client: ApiClient,
  { id }: MaintenanceView,
  position: number,
): Promise<number> {
  const { out, signal } = session
  try {
    // From before it began: its own start is among these.
    const first = Math.max(0, position - 1_000)
    await untilEnded(session, client, id, first)
  } catch (error) {
    if (!signal.aborted) throw error
    out.note(`\nit goes on without you\n  how it is    tandem maintenance\n  no further   tandem maintenance stop`)
    return session.interrupts.exitCode()
  }
  const { maintenance } = await client.call('maintenance', {}, signal)
  if (!maintenance) throw new Error(`maintenance ${id} is not known any more`)
  out.result({ maintenance }, () => renderMaintenance(maintenance, out.paint))
  return maintenance.state === 'completed' ? 0 : 1
}

async function untilEnded({ out, signal }: Session, client: ApiClient, id: string, first: number): Promise<void> {
  const outage = new Outage({ signal, onLost: () => out.note(`${contactLostNote}. The maintenance goes on.`) })
  const steps = new Map<string, { step: string; at: string }>()
  for (let after = first; ;) {
    try {
      for await (const { data: event } of client.stream('events', { query: { after, follow: 'true' } }, { signal })) {
        after = event.position
        outage.over()
        if (event.data['maintenance'] !== id) continue
        for (const line of stepLines(steps, event)) out.note(line)
        // One that was resumed has been stopped before.
        if (isEnd(event) && (await hasEnded(client, signal))) return
      }
      signal.throwIfAborted()
    } catch (error) {
      await outage.wait(error)
    }
  }
}

const isEnd = ({ type }: EventView): boolean => type === 'MaintenanceFinished' || type === 'MaintenanceStopped'

async function hasEnded(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  const { maintenance } = await client.call('maintenance', {}, signal)
  return maintenance?.state !== 'running'
}

function stepLines(steps: Map<string, { step: string; at: string }>, { type, at, data }: EventView): string[] {
  if (type !== 'MaintenanceStepped') return []
  const [machine, step] = [String(data['machine']), String(data['step'])]
  const before = steps.get(machine)
  steps.set(machine, { step, at })
  const took = before ? showSeconds(Date.parse(at) - Date.parse(before.at)) : ''
  return [
    ...(before ? [`  ${machine}  ${before.step.padEnd(6)}  ${took}`] : []),
    ...(step === 'done' ? [`  ${machine}  done`] : []),
  ]
}
