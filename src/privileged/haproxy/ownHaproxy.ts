import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { HaproxyProcess } from '../../drivers/balancer/haproxy/haproxyProcess.ts'
import { unitOpenFiles } from '../../drivers/balancer/haproxy/openFiles.ts'
import { unitHaproxy } from '../../drivers/balancer/haproxy/unitHaproxy.ts'
import { haproxyFolder } from '../../layout/dataFolder.ts'
import { haproxyRunDir } from '../../layout/folders.ts'
import { haproxyUnit } from '../../layout/units.ts'
import { haproxyUser } from '../../layout/users.ts'
import { systemctl } from '../../systemd/units.ts'

/** HAProxy without root privileges; the agent uses it, and the privileged helper starts it. */
export const privateHaproxy = (): HaproxyProcess =>
  unitHaproxy({
    ...{ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: unitOpenFiles, user: haproxyUser },
  })

/**
 * Starts HAProxy with the configuration that the agent has written. An HAProxy that still runs as root, from before
 * there was a privileged helper, is stopped first: its configuration names a script, and another user can now write
 * that configuration.
 */
export async function startHaproxy(data: string): Promise<void> {
  const shown = await systemctl('show', '-p', 'MainPID', '-p', 'SubState', haproxyUnit)
  if (runsAsRoot(shown)) await systemctl('stop', haproxyUnit)
  await privateHaproxy().ensureStarted(join(haproxyFolder(data), 'haproxy.cfg'))
}

/**
 * Judges by the unit's state in systemd. Counts only a unit that has reported that it is ready: a new process is root
 * until it switches to its user, and stopping it then would cancel the restart it belongs to.
 */
export function runsAsRoot(shown: string, uidOf: (pid: number) => number | undefined = ownerOf): boolean {
  const pid = Number(/^MainPID=(\d+)$/m.exec(shown)?.[1] ?? 0)
  return pid > 0 && /^SubState=running$/m.test(shown) && uidOf(pid) === 0
}

const ownerOf = (pid: number): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid
