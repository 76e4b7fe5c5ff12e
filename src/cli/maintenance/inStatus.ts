import type { Status } from '../../api/views.ts'
import { machineAt, maintenanceTitle } from './render.ts'

/** Why a machine is out of traffic, where a stopped maintenance left it; `null`: none did. */
export function whyLeftOut({ maintenance, machines }: Status, name: string): string | null {
  if (maintenance?.state !== 'stopped' || machineAt(maintenance) !== name) return null
  const state = machines.find((machine) => machine.name === name)?.state
  return (
    `machine ${name} reports but is ${state}, because the ${maintenanceTitle(maintenance)} stopped there` +
    `; tandem maintenance resume continues it, tandem machine ready ${name} puts the machine back in traffic without it`
  )
}
