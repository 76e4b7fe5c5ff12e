import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogLine } from '../supervisor.ts'

/**
 * The journal cannot give up the lines of one service: they stay until its own limits take them. What Tandem was told to
 * forget, it shows no more: one small file a service says until when, and which instances ran on.
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
      const file = fileOf(service)
      rmSync(`${file}.new`, { force: true })
      writeFileSync(`${file}.new`, JSON.stringify({ until: new Date(now).toISOString(), kept }), {
        mode: 0o600,
        flush: true,
      })
      renameSync(`${file}.new`, file)
    },
    hides: (service) => {
      const known = read(fileOf(service))
      if (known === null) return () => false
      return ({ at, instance }) => at <= known.until && !known.kept.includes(instance)
    },
  }
}

function read(file: string): { until: string; kept: string[] } | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { until: string; kept: string[] } // written above
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
