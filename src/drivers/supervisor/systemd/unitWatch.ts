import { setTimeout as pause } from 'node:timers/promises'
import { connectBus } from '../../../systemd/bus/busConnection.ts'
import { manager, systemd } from '../../../systemd/bus/callSystemd.ts'
import { dictionary, type BusMessage } from '../../../systemd/bus/busMessage.ts'
import type { ToldEnding } from './life.ts'

const againMs = 1_000
const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
const unitPaths = '/org/freedesktop/systemd1/unit'
const service = `${systemd}.Service`
const changes = `type='signal',sender='${systemd}',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='${unitPaths}',arg0='${service}'`
const owners = `type='signal',sender='${bus.destination}',interface='${bus.interface}',member='NameOwnerChanged',arg0='${systemd}'`

interface Watcher {
  /** The bus for systemd's signals. */
  path: string
  /** This unit has changed. */
  touched: (unit: string) => void
  /** Signals arrive from now on; earlier signals may have been missed: check all units. */
  missed: () => void
  ending: (unit: string, ending: ToldEnding) => void
  /** No signals arrive, for this reason; the watcher retries. */
  interrupted: (why: string) => void
}

/**
 * Follows the signals of systemd about the units of Tandem over the bus, until the abort signal. A signal shows that a
 * unit changed, and how a life ended, which systemd forgets once the next life has begun; everything else is read from
 * systemd after each signal. This needs neither root nor the journal. Following the journal would skip entries with
 * another boot id, and a unit with its own /proc may have another boot id.
 */
export async function watchUnits(watcher: Watcher, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow(watcher, signal)
    } catch (error) {
      if (!signal.aborted) watcher.interrupted(error instanceof Error ? error.message : String(error))
    }
    if (!signal.aborted) await pause(againMs, undefined, { signal }).catch(() => {})
  }
}

async function follow({ path, touched, missed, ending }: Watcher, signal: AbortSignal): Promise<void> {
  using leaving = new Leaving(signal)
  /** systemd's unique name on the bus: any process may send a signal to a single connection. */
  let owner = ''
  const heard = (message: BusMessage): void => {
    // systemd has restarted.
    if (message.member === 'NameOwnerChanged' && message.sender === bus.destination) return leaving.leave()
    if (message.member !== 'PropertiesChanged' || message.sender !== owner) return
    const unit = unitOf(message.path)
    if (!unit.startsWith('tandem-')) return
    const said = dictionary(message.body[1])
    const number = (name: string): number => Number(said.get(name) ?? 0)
    const told = { pid: number('ExecMainPID'), code: number('ExecMainCode'), status: number('ExecMainStatus') }
    if (told.code !== 0) ending(unit, { ...told, result: String(said.get('Result') ?? '') })
    touched(unit)
  }
  const connection = await connectBus(path, heard, leaving.signal)
  await connection.call({ ...bus, member: 'Hello', args: [] })
  await connection.call({ ...bus, member: 'AddMatch', args: [owners] })
  const named = await connection.call({ ...bus, member: 'GetNameOwner', args: [systemd] })
  owner = String(named.body[0])
  await connection.call({ ...bus, member: 'AddMatch', args: [changes] })
  // systemd sends no signals without a subscriber.
  await connection.call({ ...manager, member: 'Subscribe', args: [] })
  missed()
  await connection.over
}

/** Aborts with `signal`, or on its own in order to connect again. */
class Leaving {
  readonly #own = new AbortController()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.leave)
    if (signal.aborted) this.leave()
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  readonly leave = (): void => this.#own.abort();

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.leave)
    this.leave()
  }
}

/** In a path of the bus, every character except letters and digits is `_` and its code (sd_bus_path_encode(3)). */
export function unitOf(path: string): string {
  return path
    .slice(unitPaths.length + 1)
    .replaceAll(/_([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
