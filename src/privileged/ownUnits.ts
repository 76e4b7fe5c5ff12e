import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readRecord, type UnitRecord } from '../drivers/supervisor/systemd/unitFiles.ts'
import { isMaintenanceUnit } from '../lib/maintenanceUnit.ts'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'

/** Names that match the pattern of an instance's unit but belong to other parts of Tandem. */
const ofOthers = /^tandem-(?:agent|controller|haproxy|keepalived|guard|privileged)(?:-trial)?\.service$/

/**
 * Reads the record in an instance's unit. Returns `null` if the unit does not exist; throws if it is not a Tandem
 * instance.
 */
export function ownUnit(unitFolder: string, unit: string): UnitRecord | null {
  const file = join(unitFolder, unit)
  if (ofOthers.test(unit) || isMaintenanceUnit(unit)) throw new Error(`${unit} is not an instance`)
  if (!existsSync(file)) return null
  const record = readRecord(unit, file)
  if (record === null || unitName(record.service, record.id) !== unit)
    throw new Error(`${unit} is not an instance of Tandem`)
  return record
}
