import { expect, it } from 'vitest'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'
import { addressScriptUnit, guardUnit, keepalivedUnit } from '../layout/addresses.ts'
import { maintenanceUnit } from '../layout/maintenance.ts'
import * as units from '../layout/units.ts'
import { agentUnit, controllerUnit, haproxyUnit, partsUnit, trialUnit } from '../layout/units.ts'
import { randomId } from '../lib/ids.ts'
import { ownUnit } from '../privileged/ownUnits.ts'
import { ownUnitKind } from './features.ts'

const read = (unit: string) => ownUnit('/nowhere', unit, (name) => ownUnitKind(name) !== null)

it('mistakes no maintenance script for an instance, and no instance of a service called maintenance for a script', () => {
  expect(() => read(maintenanceUnit(`${randomId().slice(0, 8)}-1`))).toThrow('is not an instance')
  for (const id of [`maintenance-${randomId()}-a-1`, `maintenance-run-${randomId()}`])
    expect(read(unitName('maintenance', id))).toBeNull()
})

it("knows Tandem's own units, and those of its features", () => {
  const sockets = [units.privilegedSocketUnit, units.controllerHelperSocketUnit]
  for (const unit of [agentUnit, controllerUnit, ...sockets, haproxyUnit, keepalivedUnit, guardUnit])
    expect(ownUnitKind(unit), unit).toBe('standing')
  const passing = [
    ...[units.privilegedUnit, units.controllerHelperUnit],
    addressScriptUnit,
    ...[agentUnit, controllerUnit].flatMap((of) => [trialUnit(of), partsUnit(of)]),
  ]
  for (const unit of passing) expect(ownUnitKind(unit), unit).toBe('passing')
  expect(ownUnitKind('tandem-web-1.service')).toBeNull()
})
