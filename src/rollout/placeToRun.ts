import { refuse, type Refusal } from '../decision/refuse.ts'
import type { Definition } from '../definitions/definition.ts'
import { refuseUnknownMachine } from '../fleet/decideMachine.ts'
import { definitionOf, isReachable } from '../fleet/serving.ts'
import { knownServices } from '../decision/knownServices.ts'
import type { State } from './state.ts'

interface Place {
  type: 'place'
  release: string
  definition: Definition
  machine: string
  /** With whose secrets and configuration it runs; left out: the service has neither. */
  generation?: string
}

/** Finds a reachable machine where the service runs or may run. */
export function placeToRun(state: State, service: string, machine: string | null): Place | Refusal {
  const known = state.services[service]
  if (!known?.current) {
    return refuse('E_NO_SUCH_SERVICE', `no release of ${service} has been deployed`, service, knownServices(state))
  }
  const { release, generation } = known.current
  const has = state.generations[generation]?.pins ? { generation } : {}
  const definition = definitionOf(state, release)
  const wanted = definition.machines ?? Object.keys(state.machines)
  const refusal = machine ? refuseUnknownMachine(state, [machine]) : null
  if (refusal) return refusal
  if (machine && 'generation' in has && !wanted.includes(machine)) {
    const message = `machine ${machine} does not run ${service}, and has neither its secrets nor its configuration`
    return refuse('E_NO_SUCH_MACHINE', message, service, `machines of ${service}: ${wanted.join(', ')}`)
  }
  const place = (machine ? [machine] : wanted).find((name) => isReachable(state, name))
  if (place) return { type: 'place', release, definition, machine: place, ...has }
  return refuse('E_NO_MACHINE_REACHABLE', `no machine of ${service} is reachable`, service, 'tandem machines')
}
