import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../lib/clock.ts'
import type { ExitStatus, InstanceSpec, LogLine, SupervisorDriver } from '../supervisor.ts'
import { createProcessSupervisor, type ProcessSupervisorOptions } from './processSupervisor.ts'
import { procProcessTable } from './procProcessTable.ts'
import { psProcessTable } from './psProcessTable.ts'

/** For tests: a supervisor in its own folder, complete specs, and helpers that wait for events. */
export interface ProcessLab {
  dir: string
  driver: SupervisorDriver
  exits: ExitStatus[]
  spec(argv: string[], changed?: Partial<InstanceSpec>): InstanceSpec
  lines(instance: string): Promise<LogLine[]>
  /** Resolves with the first line that matches; throws when the instance ends without it. */
  printed(instance: string, pattern: RegExp): Promise<string>
  /** Resolves when the instance has ended. */
  exit(instance: string): Promise<ExitStatus>
  close(): Promise<void>
}

let labs = 0

export function openProcessLab(options: Partial<ProcessSupervisorOptions> = {}): ProcessLab {
  mkdirSync(resolve('tmp'), { recursive: true })
  const dir = mkdtempSync(resolve('tmp/supervisor-'))
  const driver = createProcessSupervisor({ dir, machine: 'test', clock: systemClock, ...options })
  const exits: ExitStatus[] = []
  const waiting = new Map<string, (exit: ExitStatus) => void>()
  driver.onExit((exit) => {
    exits.push(exit)
    waiting.get(exit.id)?.(exit)
  })
  const prefix = `lab${process.pid}-${++labs}`
  let ids = 0
  return {
    dir,
    driver,
    exits,
    spec: (argv, changed = {}) => {
      const id = changed.id ?? `${prefix}-${++ids}`
      const env = { PATH: process.env['PATH'] ?? '', TANDEM_INSTANCE: id, TANDEM_DATA: dir }
      const limits = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
      const stop = { signal: 'SIGTERM' as const, withinMs: 5_000 }
      return { id, service: 'shop', release: 'r1', argv, env, cwd: dir, limits, stop, ...changed }
    },
    lines: (instance) => collect(driver.logs({ service: 'shop', instance })),
    printed: async (instance, pattern) => {
      const seen: string[] = []
      for await (const { text } of driver.logs({ service: 'shop', instance, follow: true })) {
        if (pattern.test(text)) return text
        seen.push(text)
      }
      throw new Error(`${instance} ended without ${pattern}: ${seen.join(' | ')}`)
    },
    exit: (instance) => {
      const ended = exits.find(({ id }) => id === instance)
      return ended === undefined ? new Promise((take) => waiting.set(instance, take)) : Promise.resolve(ended)
    },
    close: async () => {
      await driver.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const table = process.platform === 'linux' ? procProcessTable : psProcessTable

/** Those of `pids` that run. A zombie that its init has not reaped yet does not count. */
export async function stillRunning(pids: number[]): Promise<number[]> {
  const infos = await Promise.all(pids.map((pid) => table.look(pid)))
  return pids.filter((_, index) => infos[index]?.zombie === false)
}

/** `Array.fromAsync`, which the library types of this project do not include. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

/** Checks until the condition holds; throws after ten seconds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + 10_000
  while (!(await holds())) {
    if (systemClock.monotonic() > deadline) throw new Error(`never: ${what}`)
    await pause(5)
  }
}
