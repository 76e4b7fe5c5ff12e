import { execFile } from 'node:child_process'
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Which process listens on a TCP port. Implementations: Linux's /proc, and `lsof` elsewhere. */
export interface SocketTable {
  /** The first of `pids` that listens on `port`. `pids` is asked for only when anyone listens at all. */
  listener(port: number, pids: () => Promise<number[]>): Promise<number | null>
}

const blockBytes = 16 * 1024
/** `tcp_states.h`: TCP_LISTEN. */
const listening = '0A'
const processesPerTurn = 50

export const procSocketTable: SocketTable = {
  listener: async (port, pids) => {
    const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)))
    if (sockets.size === 0) return null
    let turn = 0
    for (const pid of await pids()) {
      if (holdsAny(pid, sockets)) return pid
      if (++turn % processesPerTurn === 0) await setImmediate()
    }
    return null
  },
}

/**
 * The kernel lists listening sockets before all others (tcp_seq_start), so this stops at the first other one: a machine
 * with ten thousand connections costs no more than an idle one.
 */
function listeningInodes(file: string, port: number): string[] {
  const inodes: string[] = []
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  for (const line of linesOf(file)) {
    const fields = line.trim().split(/\s+/)
    if (fields[0] === 'sl') continue
    if (fields[3] !== listening) break
    if (fields[1]?.endsWith(`:${wanted}`) && fields[9] !== undefined) inodes.push(`socket:[${fields[9]}]`)
  }
  return inodes
}

function* linesOf(file: string): Generator<string> {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return // a kernel without IPv6
  }
  try {
    const block = Buffer.alloc(blockBytes)
    let rest = ''
    for (let read = readSync(fd, block); read > 0; read = readSync(fd, block)) {
      const lines = (rest + block.toString('latin1', 0, read)).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    closeSync(fd)
  }
}

function holdsAny(pid: number, sockets: Set<string>): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => sockets.has(linkOf(`${folder}/${fd}`)))
  } catch {
    return false // ended meanwhile, or another user's
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
  listener: async (port, pids) => {
    const listeners = await lsof(port)
    if (listeners.size === 0) return null
    return (await pids()).find((pid) => listeners.has(pid)) ?? null
  },
}

async function lsof(port: number): Promise<Set<number>> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  try {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']
    const { stdout } = await promisify(execFile)('lsof', args, { env, timeout: lsofTimeoutMs })
    return new Set([...stdout.matchAll(/^p(\d+)$/gm)].map(([, pid]) => Number(pid)))
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return new Set() // its exit status when nothing was found
    throw error
  }
}
