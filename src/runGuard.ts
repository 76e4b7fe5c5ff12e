import { execFile } from 'node:child_process'
import { AddressGuard, guardParts, lookMs } from './drivers/address/keepalived/addressGuard.ts'
import { bootMs, readGuardSettings } from './drivers/address/keepalived/guardFiles.ts'
import { keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { SynGate } from './drivers/address/keepalived/synGate.ts'
import { beQuiet } from './lib/quiet.ts'

/** systemd starts the guard again when it says nothing for WatchdogSec of its unit, more than twice this. */
const aliveMs = 2_000

/** The guard as a process, until a signal. Little is imported here: it lives on every machine, beside everything else. */
export async function runGuard({ data }: { data: string }): Promise<number> {
  beQuiet()
  const files = keepalivedFiles(data)
  const settings = readGuardSettings(files.guard)
  await new SynGate().open()
  const guard = new AddressGuard(
    settings,
    files,
    guardParts(settings, files, (text) => console.log(text)),
  )
  guard.look(bootMs())
  notify('READY=1')
  const looking = setInterval(() => guard.look(bootMs()), lookMs)
  const telling = setInterval(() => notify('WATCHDOG=1'), aliveMs)
  const { promise, resolve } = Promise.withResolvers<void>()
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
  await promise
  clearInterval(looking)
  clearInterval(telling)
  guard.close()
  return 0
}

/** sd_notify(3) is a datagram to a local socket, which Node has no words for. Its failure ends in a restart, by systemd. */
function notify(state: string): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return
  execFile('systemd-notify', [state], { timeout: aliveMs }, () => {})
}
