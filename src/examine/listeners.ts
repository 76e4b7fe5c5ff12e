import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { addressIn, isLoopbackAddress } from '../lib/procNet.ts'
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

/** Lists every TCP socket of this machine, from /proc. */
export function socketsHere(): Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => socketsIn(contentOf(file)))
}

/** Parses a table of /proc/net/tcp or tcp6. */
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

/**
 * Finds the listeners on these ports, and those on any other port beyond loopback. Only root sees processes of other
 * users.
 */
export async function listenersOn(ports: number[], sockets: Socket[]): Promise<Listener[]> {
  const wanted = new Set(ports)
  const found = sockets.filter(
    ({ listens, port, address }) => listens && (wanted.has(port) || !isLoopbackAddress(address)),
  )
  const holders = await holdersOf(new Set(found.map(({ inode }) => inode)))
  return found.map(({ port, address, inode }) => {
    const pid = holders.get(inode) ?? null
    if (pid === null) return { port, address, pid, command: '', unit: null, instance: null }
    return { port, address, pid, command: commandOf(pid), unit: unitOf(pid), instance: instanceOf(pid) }
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
    return [] // the process has ended, or belongs to another user
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return '' // the file was closed meanwhile
  }
}

const commandOf = (pid: number): string =>
  contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, shownCommandLength)

/** Every process that Tandem starts has this variable in its environment, and so do its child processes. */
const instanceOf = (pid: number): string | null =>
  /(?:^|\0)TANDEM_INSTANCE=([^\0]+)/.exec(contentOf(`/proc/${pid}/environ`))?.[1] ?? null

/** The systemd unit of a process, found by its control group. */
function unitOf(pid: number): string | null {
  const found = /\/([^/\n]+\.service)(?:\/[^\n]*)?$/m.exec(contentOf(`/proc/${pid}/cgroup`))
  return found?.[1] ?? null
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // this kernel has no such table, or the process has ended
  }
}
