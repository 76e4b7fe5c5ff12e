import { dirname } from 'node:path'
import { controllerUnit } from '../layout/units.ts'
import { selfCommand } from '../lib/selfCommand.ts'
import { mayInstallUnits } from '../systemd/units.ts'
import { setUpParts } from '../parts/setUpParts.ts'
import { explained } from './explained.ts'
import { controllerParts, digestOf } from '../parts/parts.ts'
import { mustBeSeen } from '../parts/seenByPart.ts'

/** Refuses what would keep the controller's unit from running, before a cluster is founded. */
export function mayStartController(data: string): void {
  const { command, args } = selfCommand()
  if (mayInstallUnits())
    mustBeSeen([command, ...args, dirname(data)], { part: 'controller', again: 'run the command again from there' })
}

/** Starts the controller of a cluster as a unit, if this process is root on a machine with systemd; returns whether. */
export async function startControllerUnit(cluster: string, data: string, words: readonly string[]): Promise<boolean> {
  if (!mayInstallUnits()) return false
  const { command, args } = selfCommand()
  const parts = controllerParts({ data, name: cluster, command: (_, argv) => [command, ...args, ...argv] }, words)
  await explained(controllerUnit, () => setUpParts(data, parts, digestOf('controller')))
  return true
}
