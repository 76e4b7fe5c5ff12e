import type { Definition } from '../definitions/definition.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Controller } from './controller.ts'

/** Throws `E_NO_SUCH_MACHINE` unless the cluster knows each of `machines`. */
export function checkMachines({ state }: Controller, machines: string[]): void {
  const unknown = machines.find((machine) => !Object.hasOwn(state.machines, machine))
  if (unknown === undefined) return
  throw new OperatorError('E_NO_SUCH_MACHINE', `there is no machine ${unknown}`, {
    subject: unknown,
    next: `machines: ${Object.keys(state.machines).join(', ') || 'none yet'}`,
  })
}

/** Finds a reachable machine where the service runs or may run. */
export function placeToRun(
  controller: Controller,
  service: string,
  machine: string | null,
): { release: string; definition: Definition; machine: string } {
  const { state } = controller
  const known = state.services[service]
  if (!known?.current) {
    throw new OperatorError('E_NO_SUCH_SERVICE', `no release of ${service} has been deployed`, {
      subject: service,
      next: `services: ${Object.keys(state.services).join(', ') || 'none yet'}`,
    })
  }
  const { release } = known.current
  const definition = state.releases[release]?.definition
  if (!definition) throw new Error(`release ${release} is current but unknown: a bug`)
  const wanted = definition.machines ?? Object.keys(state.machines)
  if (machine) checkMachines(controller, [machine])
  const place = (machine ? [machine] : wanted).find((name) => state.machines[name]?.lost === false)
  if (place) return { release, definition, machine: place }
  throw new OperatorError('E_NO_MACHINE_REACHABLE', `no machine of ${service} is reachable`, {
    subject: service,
    next: 'tandem machines',
  })
}
