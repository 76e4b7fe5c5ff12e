import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Limits } from '../doctor/machineFacts.ts'
import type { socketsHere } from './listeners.ts'

interface Asked {
  sockets: ReturnType<typeof socketsHere>
  instances: { first: number; last: number } | null
  /** `null` if the processes are not known. */
  processes: { name: string; pid: number }[] | null
  /** How long to watch for dropped connections. */
  watchMs: number
}

/** Reads from /proc how much of its limited resources a machine has left. */
export async function limitsHere({ sockets, instances, processes, watchMs }: Asked): Promise<Limits> {
  const before = overflowsIn(readFileSync('/proc/net/netstat', 'utf8'))
  const [first = 0, last = 0] = numbersIn(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))
  const [used = 0, , most = 0] = numbersIn(readFileSync('/proc/sys/fs/file-nr', 'utf8'))
  const taken = sockets.filter(({ listens, port }) => !listens && port >= first && port <= last)
  await pause(watchMs)
  const after = overflowsIn(readFileSync('/proc/net/netstat', 'utf8'))
  return {
    ephemeral: { first, last, used: new Set(taken.map(({ port }) => port)).size },
    instances,
    files: { used, most },
    processes:
      processes?.flatMap(({ name, pid }) => {
        const files = openFilesOf(pid)
        return files === null ? [] : [{ name, pid, ...files }]
      }) ?? null,
    overflows: { before, after, seconds: watchMs / 1000 },
  }
}

/** Returns `null` for a process that has ended or belongs to another user. */
export function openFilesOf(pid: number): { used: number; most: number } | null {
  try {
    if (!existsSync(`/proc/${pid}`)) return null
    const most = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? 0)
    return { used: readdirSync(`/proc/${pid}/fd`).length, most }
  } catch {
    return null
  }
}

/** `ListenOverflows` of TcpExt: a line of names, then a line of numbers (proc_net_netstat in the kernel). */
export function overflowsIn(text: string): number {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '))
  return Number(values[names.indexOf('ListenOverflows')] ?? 0)
}

const numbersIn = (text: string): number[] => text.trim().split(/\s+/).map(Number)
