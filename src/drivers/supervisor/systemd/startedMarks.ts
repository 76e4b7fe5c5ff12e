import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../../lib/makeFolder.ts'
import { bootMark } from '../../host/systemdHost.ts'

/** Which units were started since this machine's start: of one that does not run, a person has stopped it since. */
export interface StartedMarks {
  set(unit: string): void
  has(unit: string): boolean
  remove(unit: string): void
}

/** In `dir`, a file for each. Of use only as long as the machine runs, so nothing is synced. */
export function startedMarks(dir: string, boot = bootMark): StartedMarks {
  const path = (unit: string): string => join(dir, unit)
  return {
    set: (unit) => {
      try {
        makeFolder(dir)
        writeFileSync(path(unit), boot(), { mode: 0o600 })
      } catch {
        // No room: then a person's stop is not told from a start that was cut off, after the next start of the agent.
      }
    },
    has: (unit) => {
      try {
        return readFileSync(path(unit), 'utf8') === boot()
      } catch {
        return false
      }
    },
    remove: (unit) => rmSync(path(unit), { force: true }),
  }
}
