import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import type { MachineLoad } from '../../protocol/numbers.ts'

/** Ticks a second in which Linux counts the time of processors. */
const ticks = 100

/** Processors, memory, and the file system of this folder. A figure that this system does not tell is `null`. */
export async function machineLoad(folder: string): Promise<MachineLoad> {
  return { cpu: processors(), memory: memoryNow(), disk: await diskOf(folder).catch(() => null) }
}

/** Files of `/proc` are made when they are read, without a disk: it costs less not to wait. `null`: not Linux. */
function kernelSays(file: string): string | null {
  try {
    return readFileSync(`/proc/${file}`, 'latin1')
  } catch {
    return null
  }
}

function processors(): MachineLoad['cpu'] {
  const text = kernelSays('stat')
  return text === null ? sumOf(cpus().map(({ times }) => times)) : cpuIn(text)
}

function sumOf(all: { user: number; nice: number; sys: number; idle: number; irq: number }[]): MachineLoad['cpu'] {
  const sum = { busyMs: 0, totalMs: 0 }
  for (const { user, nice, sys, idle, irq } of all) {
    sum.busyMs += user + nice + sys + irq
    sum.totalMs += user + nice + sys + irq + idle
  }
  return sum
}

/** Reads the first line of `/proc/stat` (proc(5)): user nice system idle iowait irq softirq steal. */
export function cpuIn(text: string): MachineLoad['cpu'] {
  const times = /^cpu +([\d ]+)/.exec(text)?.[1]?.trim().split(' ').slice(0, 8).map(Number)
  if (!times) return null
  const [, , , idle = 0, waiting = 0] = times
  const total = times.reduce((sum, time) => sum + time, 0)
  return { busyMs: ((total - idle - waiting) / ticks) * 1_000, totalMs: (total / ticks) * 1_000 }
}

function memoryNow(): MachineLoad['memory'] {
  const kilobytes = /^MemAvailable: +(\d+) kB/m.exec(kernelSays('meminfo') ?? '')?.[1]
  return { totalBytes: totalmem(), availableBytes: kilobytes ? Number(kilobytes) * 1_024 : freemem() }
}

async function diskOf(folder: string): Promise<MachineLoad['disk']> {
  const { blocks, bavail, bsize } = await statfs(folder)
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
}
