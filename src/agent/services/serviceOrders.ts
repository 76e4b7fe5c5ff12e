import type { DesiredState } from '../../protocol/desiredState.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { StartExtra } from '../releaseLauncher.ts'

/** The orders about the programs of services, which the agent passes on to the privileged helper with each start. */
export function serviceOrders(launcher: { extend: (extra: StartExtra) => void }): MachineFeature<object> {
  let orders: DesiredState['serviceOrders'] = {}
  launcher.extend({ order: (service) => orders[service] ?? null })
  return {
    want: (desired) => {
      orders = desired.serviceOrders
    },
    report: () => ({}),
  }
}
