import type { ApiClient } from '../../api/client.ts'
import type { MaintenanceView } from '../../api/maintenance.ts'
import type { EventView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import { renderMaintenance } from './render.ts'
import type { Session } from '../session.ts'
import { contactLostNote, Outage } from '../follow/contact.ts'

/**
 * Follows maintenance from `after`, a position of the log, to its end. Prints a line when a machine finishes a step.
 * Resolves with the exit code.
 */
export async function followMaintenance(
  session: Session,
  client: ApiClient,
  { id }: MaintenanceView,
  after: number,
): Promise<number> {
  const { out, signal } = session
  let hasCompleted = false
  try {
    hasCompleted = await untilEnded(session, client, id, after)
  } catch (error) {
    if (!signal.aborted) throw error
    out.note(`\nthe maintenance continues\n  show it    tandem maintenance\n  stop it    tandem maintenance stop`)
    return session.interrupts.exitCode()
  }
  const { maintenance } = await client.call('maintenance', {}, signal)
  if (maintenance?.id !== id) {
    const state = hasCompleted ? 'completed' : 'stopped'
    out.result(
      { maintenance: { id, state } },
      () => `${state}  maintenance ${id}; a newer maintenance has started since`,
    )
    return hasCompleted ? 0 : 1
  }
  out.result({ maintenance }, () => renderMaintenance(maintenance, out.paint))
  if (maintenance.state === 'completed') await sayWhoStaysOut(session, client, maintenance)
  return maintenance.state === 'completed' ? 0 : 1
}

/** Names machines that stay drained because they were drained before. If the status cannot be read, prints nothing. */
async function sayWhoStaysOut(
  { out, signal }: Session,
  client: ApiClient,
  { machines }: MaintenanceView,
): Promise<void> {
  const status = await client.call('status', {}, signal).catch(() => null)
  for (const { name, traffic } of status?.machines ?? []) {
    if (traffic !== 'drained' || !machines.some(({ machine }) => machine === name)) continue
    out.note(`  ${name} stays drained, as it was before: tandem machine ready ${name}   puts it back in traffic`)
  }
}

/** Resolves with true if every machine was done. */
async function untilEnded({ out, signal }: Session, client: ApiClient, id: string, first: number): Promise<boolean> {
  const outage = new Outage({ signal, onLost: () => out.note(`${contactLostNote}. The maintenance continues.`) })
  const steps = new Map<string, { step: string; at: string }>()
  const readied = new Set<string>()
  for (let after = first, isFirst = true; ; isFirst = false) {
    try {
      // The maintenance may have ended during the outage; then no further event arrives.
      const isOver = !isFirst && (await hasEnded(client, id, signal))
      const query = { after, follow: isOver ? 'false' : 'true' } as const
      for await (const { data: event } of client.stream('events', { query }, { signal })) {
        outage.over()
        if (event.type === 'MachineReadied') readied.add(String(event.data['machine']))
        if (event.data['maintenance'] === id) {
          for (const line of stepLines(steps, readied, event)) out.note(line)
          if (event.type === 'MaintenanceFinished') return true
          // A maintenance that was resumed has been stopped before, so its state decides.
          if (event.type === 'MaintenanceStopped' && (await hasEnded(client, id, signal))) return false
        }
        // Set last, so that an event whose handling met an outage is read again.
        after = event.position
      }
      signal.throwIfAborted()
      if (isOver) return false
    } catch (error) {
      await outage.wait(error)
    }
  }
}

async function hasEnded(client: ApiClient, id: string, signal: AbortSignal): Promise<boolean> {
  const { maintenance } = await client.call('maintenance', {}, signal)
  return maintenance?.id !== id || maintenance.state !== 'running'
}

function stepLines(
  steps: Map<string, { step: string; at: string }>,
  readied: ReadonlySet<string>,
  { type, at, data }: EventView,
): string[] {
  if (type !== 'MaintenanceStepped') return []
  const [machine, step] = [String(data['machine']), String(data['step'])]
  const before = steps.get(machine)
  steps.set(machine, { step, at })
  const took = before ? showSeconds(Date.parse(at) - Date.parse(before.at)) : ''
  return [
    ...(before ? [`  ${machine}  ${before.step.padEnd(6)}  ${took}`] : []),
    ...(step === 'done' ? [`  ${machine}  done${readied.has(machine) ? ', back in traffic' : ''}`] : []),
  ]
}
