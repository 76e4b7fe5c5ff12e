import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../../lib/makeFolder.ts'
import { bootMark } from '../../../lib/bootId.ts'

/** The units that were started since the machine booted. If such a unit does not run, a person has stopped it since. */
export interface StartedMarks {
  set(unit: string): void
  has(unit: string): boolean
  remove(unit: string): void
}

/** One file per unit in `dir`. The files matter only until the next boot, so they are not synced. */
export function startedMarks(dir: string, boot = bootMark): StartedMarks {
  const path = (unit: string): string => join(dir, unit)
  return {
    set: (unit) => {
      try {
        makeFolder(dir)
        writeFileSync(path(unit), boot(), { mode: 0o600 })
      } catch {
        // No space left: after the next start of the agent, a stop by a person looks the same as an interrupted start.
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
