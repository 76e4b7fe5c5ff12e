import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readRecord, type UnitRecord } from '../drivers/supervisor/systemd/unitFiles.ts'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'

/**
 * Reads the record in an instance's unit. Returns `null` if the unit does not exist; throws if it is not a Tandem
 * instance.
 */
export function ownUnit(unitFolder: string, unit: string, isOwnUnit: (unit: string) => boolean): UnitRecord | null {
  const file = join(unitFolder, unit)
  if (isOwnUnit(unit)) throw new Error(`${unit} is not an instance`)
  if (!existsSync(file)) return null
  const record = readRecord(unit, file)
  if (record === null || unitName(record.service, record.id) !== unit)
    throw new Error(`${unit} is not an instance of Tandem`)
  return record
}
