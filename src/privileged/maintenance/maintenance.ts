import { z } from 'zod'
import type { HostDriver, HostScript, ScriptState } from '../../drivers/host/host.ts'
import { scriptContent } from '../../identity/order.ts'
import { acceptedOrder, isSame } from '../orders.ts'
import type { RootFolder } from '../rootFolder.ts'

interface Parts {
  folder: RootFolder
  host: HostDriver
  now: () => number
}

const longestScript = 256 * 1024
const longestMs = 7 * 24 * 3_600_000

export const scriptShape = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/),
  name: z.string().max(300),
  text: z.string().max(longestScript),
  withinMs: z.int().min(1).max(longestMs),
})

/**
 * Runs a script that the controller has signed, once. The order is written to disk before the script begins. If this
 * process was killed, a repeated request runs the script only if the script cannot have begun.
 */
export async function beginScript(
  { folder, host, now }: Parts,
  { script, order: signed }: { script: HostScript; order: string | null },
): Promise<void> {
  const order = acceptedOrder({ folder, kind: 'script', signed, content: scriptContent(script), now: now() })
  if (script.id !== `${order.id}-${order.attempt}`)
    throw new Error(`the order is meant for ${order.id}-${order.attempt}`)
  const mark = host.bootMark()
  const last = folder.obeyed('script')
  const isKnown = (await host.look(script)).state !== 'unknown'
  if (last && isSame(last, order) && (last.begun || last.mark !== mark)) {
    if (isKnown) return
    throw new Error(`the privileged helper has already run ${script.name} for ${script.id}`)
  }
  folder.remember('script', { ...order, mark, begun: false })
  if (!isKnown) await host.begin(script, signed)
  folder.remember('script', { ...order, mark, begun: true })
}

export const lookAtScript = ({ host }: Parts, script: HostScript): Promise<ScriptState> => host.look(script)

/** Refuses while the script runs: only the script's own limit may end it. */
export async function forgetScript({ host }: Parts, script: HostScript): Promise<void> {
  if ((await host.look(script)).state === 'running') throw new Error(`script ${script.id} is still running`)
  await host.forget(script)
}

/** Restarts the machine by a signed order of the controller, once for each order. */
export async function restartMachine(
  { folder, host, now }: Parts,
  { order: signed }: { order: string | null },
): Promise<void> {
  const order = acceptedOrder({ folder, kind: 'restart', signed, content: null, now: now() })
  const mark = host.bootMark()
  const last = folder.obeyed('restart')
  if (last && isSame(last, order) && last.mark !== mark)
    throw new Error('the machine has already restarted for this order')
  folder.remember('restart', { ...order, mark, begun: true })
  await host.restart(signed)
}
