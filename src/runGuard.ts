import { execFile } from 'node:child_process'
import { AddressGuard, guardParts, lookMs } from './drivers/address/keepalived/addressGuard.ts'
import { bootMs, readGuardSettings } from './drivers/address/keepalived/guardFiles.ts'
import { keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { SynGate } from './drivers/address/keepalived/synGate.ts'
import { beQuiet } from './lib/quiet.ts'

/** Watchdog interval. systemd restarts the guard after WatchdogSec without a message; that is more than twice this. */
const aliveMs = 2_000

/** Runs the guard until a signal. This file imports little, to save memory: the guard runs on every machine. */
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

/**
 * sd_notify(3) sends a datagram to a local socket, for which Node has no API. If it fails, systemd restarts the guard.
 */
function notify(state: string): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return
  execFile('systemd-notify', [state], { timeout: aliveMs }, () => {})
}
