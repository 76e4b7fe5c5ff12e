import type { DesiredState } from '../../protocol/desiredState.ts'
import { Generations } from '../generations.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { StartExtra } from '../releaseLauncher.ts'

/** The settings of services: variables of the programs that start here. */
export function config(launcher: { extend: (extra: StartExtra) => void }): MachineFeature {
  const generations = new Generations()
  let known: DesiredState['config'] = {}
  launcher.extend({
    settings: (program) => known[generations.of(program) ?? '']?.values ?? {},
  })
  return {
    want: (desired) => {
      generations.want(desired)
      known = desired.config
    },
    report: () => ({}),
  }
}
