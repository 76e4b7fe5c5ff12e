import { controllerUnit } from '../layout/units.ts'
import { selfCommand } from '../lib/selfCommand.ts'
import { mayInstallUnits } from '../systemd/units.ts'
import { explained } from './explained.ts'
import { install, takeUp } from './install.ts'
import { controllerParts } from './parts.ts'

/** Starts the controller of a cluster as a unit, if this process is root on a machine with systemd; returns whether. */
export async function startControllerUnit(cluster: string, words: readonly string[]): Promise<boolean> {
  if (!mayInstallUnits()) return false
  const { command, args, env } = selfCommand()
  await explained(controllerUnit, async () => {
    const parts = controllerParts(
      { name: cluster, environment: env, command: (_, argv) => [command, ...args, ...argv] },
      words,
    )
    await install(parts)
    await takeUp(parts.units)
  })
  return true
}
