import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../lib/clock.ts'
import { procProcessTable } from '../process/procProcessTable.ts'
import { stillRuns } from '../process/processTable.ts'
import type { Systemctl } from './systemctl.ts'
import type { UnitRecord } from './unitFiles.ts'

const lookMs = 20

/**
 * Stops a unit. One that has not told systemd yet that it is ready (Type=notify) has no ExecStop= then: systemd would send
 * SIGTERM to all of it. So its main process gets the stop signal first, on the same clock.
 */
export async function stopUnit(
  systemctl: Pick<Systemctl, 'show' | 'kill' | 'stop'>,
  record: UnitRecord | null,
  unit: string,
  timeoutMs: number,
): Promise<void> {
  const killing = record?.notifies ? await stopStarting(systemctl, record) : null
  try {
    await systemctl.stop(unit, timeoutMs)
  } finally {
    clearTimeout(killing ?? undefined)
  }
}

/** Resolves when its main process has ended or must be killed now. The timer kills what that leaves. */
async function stopStarting(
  { show, kill }: Pick<Systemctl, 'show' | 'kill'>,
  { unit, signal, withinMs }: UnitRecord,
): Promise<NodeJS.Timeout | null> {
  const state = (await show([unit])).get(unit)
  const main = state?.sub === 'start' ? await procProcessTable.look(state.mainPid) : null
  if (!main) return null
  const deadline = systemClock.monotonic() + withinMs
  const leftMs = (): number => Math.max(0, deadline - systemClock.monotonic())
  await kill(unit, 'main', signal)
  while (leftMs() > 0 && (await stillRuns(procProcessTable, main))) await pause(lookMs)
  // One that is gone meanwhile needs no signal.
  const end = (): void => void kill(unit, 'all', 'SIGKILL').catch(() => {})
  return setTimeout(end, leftMs())
}
