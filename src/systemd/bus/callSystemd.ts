import { connectBus, systemBus } from './busConnection.ts'
import type { BusValue } from './busMessage.ts'

const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
export const systemd = 'org.freedesktop.systemd1'
export const manager = { destination: systemd, path: '/org/freedesktop/systemd1', interface: `${systemd}.Manager` }

/**
 * Calls one method of systemd's manager (org.freedesktop.systemd1(5)) over its own connection. A systemctl process
 * would cost 5 ms.
 */
export async function callSystemd(member: string, args: string[]): Promise<BusValue[]> {
  const leaving = new AbortController()
  try {
    const connection = await connectBus(systemBus, () => {}, leaving.signal)
    await connection.call({ ...bus, member: 'Hello', args: [] })
    return (await connection.call({ ...manager, member, args })).body
  } finally {
    leaving.abort()
  }
}
