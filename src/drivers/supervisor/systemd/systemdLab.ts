import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../lib/clock.ts'
import type { ExitStatus, InstanceSpec, LogLine, Restarted, SupervisorDriver } from '../supervisor.ts'
import { createSystemdSupervisor } from './systemdSupervisor.ts'

/** For tests on a lab machine: a driver, complete specs, and helpers that wait for events. */
export interface SystemdLab {
  driver: SupervisorDriver
  /** The folder of the agent: hidden from services. */
  dir: string
  exits: ExitStatus[]
  restarts: Restarted[]
  spec(argv: string[], changed?: Partial<InstanceSpec>): InstanceSpec
  /** Resolves with the first line that matches. */
  printed(spec: InstanceSpec, pattern: RegExp): Promise<string>
  lines(service: string): Promise<LogLine[]>
  /** Stops all instances, adopted or not, and removes the folders. */
  close(): Promise<void>
}

export const insideMachine = process.env['TANDEM_LAB_MACHINE'] === '1'
export const whyOutside = insideMachine ? '' : ' (skipped: make test-lab runs this on its own machine)'

const parent = '/var/lib/tandem-test'
let specs = 0

export async function openSystemdLab(folder?: string): Promise<SystemdLab> {
  mkdirSync(parent, { recursive: true })
  const dir = folder ?? mkdtempSync(join(parent, 'lab-'))
  const cwd = join(dir, 'release')
  mkdirSync(cwd, { recursive: true })
  const driver = createSystemdSupervisor({ dir: join(dir, 'agent'), clock: systemClock, hidden: [dir] })
  const [exits, restarts]: [ExitStatus[], Restarted[]] = [[], []]
  driver.onExit((exit) => exits.push(exit))
  driver.onRestart?.((restarted) => restarts.push(restarted))
  const { adopted } = await driver.recover()
  const started = new Set(adopted)
  return {
    ...{ driver, dir, exits, restarts },
    spec: (argv, changed = {}) => {
      const service = changed.service ?? `s${process.pid}-${++specs}`
      const id = changed.id ?? `${service}-1`
      started.add(id)
      const env = { PATH: '/usr/bin:/bin', TANDEM_DATA: driver.dataFolder?.(service) ?? '' }
      const limits = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
      const stop = { signal: 'SIGTERM' as const, withinMs: 2_000 }
      return { id, service, release: 'r1', argv, env, cwd, limits, stop, ...changed }
    },
    printed: async ({ service, id }, pattern) => {
      const seen: string[] = []
      for await (const { text } of driver.logs({ service, instance: id, follow: true })) {
        if (pattern.test(text)) return text
        seen.push(text)
      }
      throw new Error(`${id} ended without ${pattern}: ${seen.join(' | ')}`)
    },
    lines: async (service) => {
      const lines: LogLine[] = []
      for await (const line of driver.logs({ service })) lines.push(line)
      return lines
    },
    close: async () => {
      await Promise.all([...started].map((id) => driver.stop(id)))
      await driver.close()
      rmSync(dir, { recursive: true })
    },
  }
}
