import { expect, it } from 'vitest'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'
import { randomId } from '../lib/ids.ts'
import { maintenanceUnit } from '../layout/units.ts'
import { ownUnit } from './ownUnits.ts'

it('mistakes no maintenance script for an instance, and no instance of a service called maintenance for a script', () => {
  expect(() => ownUnit('/nowhere', maintenanceUnit(`${randomId().slice(0, 8)}-1`))).toThrow('is not an instance')
  for (const id of [`maintenance-${randomId()}-a-1`, `maintenance-run-${randomId()}`])
    expect(ownUnit('/nowhere', unitName('maintenance', id))).toBeNull()
})
