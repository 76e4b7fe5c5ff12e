import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { addressIn } from '../../../lib/procNet.ts'

/** Finds the process that listens on a TCP port. Implementations: /proc on Linux, and `lsof` elsewhere. */
export interface SocketTable {
  /**
   * Returns the candidate that listens on `port`. A later list is made only if no process in an earlier list listens.
   */
  listener(port: number, candidates: Candidates[]): Promise<number | null>
}

export type Candidates = () => Promise<number[]>

/**
 * One line of /proc/net/tcp. The kernel fills the requested size: a larger read continues from the few listening
 * sockets into the table of all connections, and merely walking that table takes milliseconds, however few connections
 * there are.
 */
const readBytes = 150
/** `tcp_states.h`: TCP_LISTEN. */
const listening = '0A'
const processesPerTurn = 50

const tables = ['/proc/net/tcp', '/proc/net/tcp6']

/** The addresses at which any process listens on a TCP port. Linux only: elsewhere the result is empty. */
export async function listenedOnAt(port: number): Promise<string[]> {
  const found: string[] = []
  for (const file of tables)
    for await (const { address } of listeningSockets(file, port)) found.push(addressIn(address))
  return found
}

export const procSocketTable: SocketTable = {
  listener: async (port, candidates) => {
    for (const file of tables) {
      for await (const { inode } of listeningSockets(file, port)) {
        const owner = await holder(`socket:[${inode}]`, candidates)
        if (owner !== null) return owner
      }
    }
    return null
  },
}

/** Listening sockets come before all others (tcp_seq_start), so this ends at the first socket that does not listen. */
async function* listeningSockets(file: string, port: number): AsyncGenerator<{ address: string; inode: string }> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  for await (const line of linesOf(file)) {
    const fields = line.trim().split(/\s+/)
    if (fields[0] === 'sl') continue
    if (fields[3] !== listening) return
    const [address, listened] = fields[1]?.split(':') ?? []
    if (listened === wanted && address !== undefined && fields[9] !== undefined) yield { address, inode: fields[9] }
  }
}

/** Reads outside the event loop: see `readBytes`. */
async function* linesOf(file: string): AsyncGenerator<string> {
  if (!existsSync(file)) return // a kernel without IPv6
  const handle = await open(file, 'r')
  try {
    const block = Buffer.alloc(readBytes)
    let rest = ''
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, readBytes)
      if (bytesRead === 0) return
      const lines = (rest + block.toString('latin1', 0, bytesRead)).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    await handle.close()
  }
}

async function holder(socket: string, candidates: Candidates[]): Promise<number | null> {
  let turn = 0
  for (const list of candidates) {
    for (const pid of await list()) {
      if (holds(pid, socket)) return pid
      if (++turn % processesPerTurn === 0) await setImmediate()
    }
  }
  return null
}

function holds(pid: number, socket: string): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => linkOf(`${folder}/${fd}`) === socket)
  } catch {
    return false // ended meanwhile, or belongs to another user
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return '' // closed meanwhile
  }
}

const lsofTimeoutMs = 10_000

export const lsofSocketTable: SocketTable = {
  listener: async (port, candidates) => {
    const listeners = await lsof(port)
    if (listeners.size === 0) return null
    for (const list of candidates) {
      const owner = (await list()).find((pid) => listeners.has(pid))
      if (owner !== undefined) return owner
    }
    return null
  },
}

async function lsof(port: number): Promise<Set<number>> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  try {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']
    const { stdout } = await promisify(execFile)('lsof', args, { env, timeout: lsofTimeoutMs })
    return new Set([...stdout.matchAll(/^p(\d+)$/gm)].map(([, pid]) => Number(pid)))
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return new Set() // exit status of lsof when it finds nothing
    throw error
  }
}
