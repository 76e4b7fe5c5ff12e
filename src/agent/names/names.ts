import type { NamesDriver } from '../../drivers/names/hostsFile.ts'
import { coalesced } from '../../lib/coalesced.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'

/**
 * Names of services in this machine's hosts file. Other programs rewrite that file too, so it is looked at with each
 * heartbeat.
 */
export function names(driver: NamesDriver, problems: Pick<Problems, 'add' | 'solved'>): MachineFeature {
  let wanted: DesiredState['names'] | null = null
  const work = coalesced(async () => {
    if (wanted === null) return
    try {
      if (!driver.hold(wanted)) await driver.write(wanted)
      problems.solved('names')
    } catch (error) {
      problems.add('names', error)
    }
  })
  return {
    want: (desired) => {
      wanted = desired.names
      void work.ask()
    },
    retry: () => void work.ask(),
    report: () => ({}),
    close: () => work.idle(),
  }
}
