import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { bootId } from '../../../lib/bootId.ts'
import type { ProcessInfo, ProcessTable } from './processTable.ts'

/** Reads of /proc never wait for a disk, so they are synchronous. After this many reads the event loop runs. */
const readsPerTurn = 100

/** Linux's /proc (man 5 proc_pid_stat). */
export const procProcessTable: ProcessTable = {
  bootId: () => Promise.resolve(bootId()),
  list,
  look: (pid) => Promise.resolve(readStat(pid)),
  commandLine: (pid) => Promise.resolve(readText(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() ?? null),
  environment: (pid) => Promise.resolve(readText(`/proc/${pid}/environ`)?.split('\0') ?? null),
  startedSince: (started, since) => Number(started) >= Number(since),
}

async function list(): Promise<ProcessInfo[]> {
  const found: ProcessInfo[] = []
  let reads = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const info = readStat(Number(name))
    if (info !== null) found.push(info)
    if (++reads % readsPerTurn === 0) await setImmediate()
  }
  return found
}

function readStat(pid: number): ProcessInfo | null {
  const text = readText(`/proc/${pid}/stat`)
  return text === null ? null : parseStat(pid, text)
}

/**
 * The name in the second field may contain blanks and parentheses: the other fields begin after the last parenthesis.
 */
export function parseStat(pid: number, text: string): ProcessInfo {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', parent = '0', group = '0', session = '0'] = fields
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    started: fields[19] ?? '',
    zombie: state === 'Z' || state === 'X',
  }
}

/** Major numbers of the kernel's pseudo-terminals, 256 minor numbers each (Documentation/admin-guide/devices.txt). */
const firstPts = 136
const lastPts = 143

/** The pseudo-terminal that controls a process, from its stat file; `null`: there is none. */
export function parseTerminal(text: string): string | null {
  const device = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[4])
  // The encoding of proc_pid_stat(5): the minor number is in the bits 31 to 20 and 7 to 0, the major in 15 to 8.
  const major = (device >> 8) & 0xff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  return major >= firstPts && major <= lastPts ? `/dev/pts/${(major - firstPts) * 256 + minor}` : null
}

/** Returns `null` if the process has ended meanwhile or the agent may not read the file. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
