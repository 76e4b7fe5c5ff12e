import { beQuiet } from '../../../lib/quiet.ts'
import { notifySystemd } from '../../../systemd/notify.ts'
import { AddressGuard, guardParts, lookMs } from './addressGuard.ts'
import { bootMs, readGuardSettings } from './guardFiles.ts'
import { keepalivedFiles } from './keepalivedFiles.ts'
import { SynGate } from './synGate.ts'

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
  notifySystemd('READY=1')
  const looking = setInterval(() => guard.look(bootMs()), lookMs)
  const telling = setInterval(() => notifySystemd('WATCHDOG=1'), aliveMs)
  const { promise, resolve } = Promise.withResolvers<void>()
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
  await promise
  clearInterval(looking)
  clearInterval(telling)
  guard.close()
  return 0
}
