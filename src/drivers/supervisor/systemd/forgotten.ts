import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeJsonDurably } from '../../../lib/durableJson.ts'
import type { LogLine } from '../supervisor.ts'

/**
 * The journal cannot delete the lines of one service: they stay until the limits of the journal remove them. Tandem
 * hides forgotten lines: one small file per service records the time up to which lines are hidden, and the instances
 * that kept running.
 */
export interface Forgotten {
  forget(service: string, kept: string[], now: number): void
  hides(service: string): (line: LogLine) => boolean
}

export function openForgotten(folder: string): Forgotten {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fileOf = (service: string): string => join(folder, `${service}.json`)
  return {
    forget: (service, kept, now) => {
      writeJsonDurably(fileOf(service), { until: new Date(now).toISOString(), kept })
    },
    hides: (service) => {
      const known = readJson(fileOf(service)) as { until: string; kept: string[] } | null // written above
      if (known === null) return () => false
      return ({ at, instance }) => at <= known.until && !known.kept.includes(instance)
    },
  }
}
