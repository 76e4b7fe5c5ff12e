import type { SocketOwner } from '../supervisor.ts'
import type { ProcessTable } from './processTable.ts'
import type { SocketTable } from './sockets.ts'

const shownCommandLength = 200

/** Finds the process that listens on a port, among all processes. */
export async function findOwner(table: ProcessTable, sockets: SocketTable, port: number): Promise<SocketOwner | null> {
  const pid = await sockets.listener(port, [async () => (await table.list()).map(({ pid }) => pid)])
  if (pid === null) return null
  return { pid, command: ((await table.commandLine(pid)) ?? '').slice(0, shownCommandLength) }
}
