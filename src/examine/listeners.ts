import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Listener } from '../doctor/machineFacts.ts'

interface Socket {
  port: number
  address: string
  listens: boolean
  inode: string
}

const listening = '0A' // tcp_states.h
const shownCommandLength = 100
const processesPerTurn = 50

/** Every TCP socket of this machine, from /proc. */
export function socketsHere(): Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => socketsIn(contentOf(file)))
}

/** A table of /proc/net/tcp or tcp6: addresses are in hex, each 32 bits as the processor has them (proc(5)). */
export function socketsIn(table: string): Socket[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [address = '', port = ''] = fields[1]?.split(':') ?? []
      if (port === '') return []
      const socket = { port: Number.parseInt(port, 16), address: addressIn(address), inode: fields[9] ?? '' }
      return [{ ...socket, listens: fields[3] === listening }]
    })
}

function addressIn(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed())
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
  const words = bytes.flatMap((byte, index) => (index % 2 === 0 ? [`${byte}${bytes[index + 1]}`] : []))
  if (words.slice(0, 5).every((word) => word === '0000') && words[5]?.toLowerCase() === 'ffff')
    return bytes
      .slice(12)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
  const shown = words.map((word) => Number.parseInt(word, 16).toString(16)).join(':')
  return shown === '0:0:0:0:0:0:0:0' ? '::' : shown === '0:0:0:0:0:0:0:1' ? '::1' : shown
}

/** Who listens on these ports. Whose process belongs to another user is seen by root alone. */
export async function listenersOn(ports: number[], sockets: Socket[]): Promise<Listener[]> {
  const wanted = new Set(ports)
  const found = sockets.filter(({ listens, port }) => listens && wanted.has(port))
  const holders = await holdersOf(new Set(found.map(({ inode }) => inode)))
  return found.map(({ port, address, inode }) => {
    const pid = holders.get(inode) ?? null
    return { port, address, pid, command: pid === null ? '' : commandOf(pid), unit: pid === null ? null : unitOf(pid) }
  })
}

async function holdersOf(inodes: Set<string>): Promise<Map<string, number>> {
  const holders = new Map<string, number>()
  let turn = 0
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || holders.size === inodes.size) continue
    for (const inode of socketsOf(pid)) if (inodes.has(inode) && !holders.has(inode)) holders.set(inode, pid)
    if (++turn % processesPerTurn === 0) await setImmediate()
  }
  return holders
}

function socketsOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${fd}`))?.[1] ?? [])
  } catch {
    return [] // ended meanwhile, or another user's
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return '' // closed meanwhile
  }
}

const commandOf = (pid: number): string =>
  contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, shownCommandLength)

/** The systemd unit that a process belongs to, by its control group. */
function unitOf(pid: number): string | null {
  const found = /\/([^/\n]+\.service)(?:\/[^\n]*)?$/m.exec(contentOf(`/proc/${pid}/cgroup`))
  return found?.[1] ?? null
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // no such table in this kernel, or ended meanwhile
  }
}
