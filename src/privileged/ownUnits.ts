import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readRecord, type UnitRecord } from '../drivers/supervisor/systemd/unitFiles.ts'
import { isMaintenanceUnit } from '../lib/maintenanceUnit.ts'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'

/** Names that an instance's unit could have, and that are another part's. */
const ofOthers = /^tandem-(?:agent|controller|haproxy|keepalived|guard|privileged)(?:-trial)?\.service$/

/** What our unit says of itself; `null`: it is not there. Throws for one that is there and is not an instance of ours. */
export function ownUnit(unitFolder: string, unit: string): UnitRecord | null {
  const file = join(unitFolder, unit)
  if (ofOthers.test(unit) || isMaintenanceUnit(unit)) throw new Error(`${unit} is not an instance`)
  if (!existsSync(file)) return null
  const record = readRecord(unit, file)
  if (record === null || unitName(record.service, record.id) !== unit)
    throw new Error(`${unit} is not an instance of ours`)
  return record
}
