import type { NamesDriver } from '../../drivers/names/hostsFile.ts'
import { coalesced } from '../../lib/coalesced.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import type { ReleaseLauncher } from '../releaseLauncher.ts'
import { linkVariables } from '../../protocol/names.ts'

interface Parts {
  problems: Pick<Problems, 'add' | 'solved'>
  launcher: Pick<ReleaseLauncher, 'extend'>
  tcpOffset: number
}

/**
 * Names of services: in the variables of the services that use them, and in this machine's hosts file. Other programs
 * rewrite that file too, so it is looked at with each heartbeat.
 */
export function names(driver: NamesDriver, { problems, launcher, tcpOffset }: Parts): MachineFeature {
  let wanted: DesiredState['names'] | null = null
  let links: DesiredState['links'] = {}
  launcher.extend({
    variables: ({ release }) => linkVariables(links[release] ?? [], tcpOffset),
    callsServices: (release) => (links[release] ?? []).length > 0,
  })
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
      links = desired.links
      void work.ask()
    },
    retry: () => void work.ask(),
    report: () => ({}),
    close: () => work.idle(),
  }
}
