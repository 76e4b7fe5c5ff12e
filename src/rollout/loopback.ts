import { isServiceCall } from '../definitions/calls.ts'
import type { Definition } from '../definitions/definition.ts'
import { callsOf } from '../definitions/features.ts'
import type { Event } from '../events/event.ts'
import { sha256 } from '../lib/hash.ts'
import { isLocal } from '../definitions/routeAccess.ts'
import type { State } from './state.ts'
import { isCalled } from './callers.ts'
import { definitionNow } from './serviceView.ts'

/**
 * Address of local routes on a laptop: macOS has no other loopback address, and no cluster is there to reach them from.
 */
export const laptopAddress = '127.0.0.1'

/** 127.77.0.0/16 without the addresses that end in .0 and .255, which some programs treat as network addresses. */
const net = '127.77'
const perBlock = 254
const addresses = 256 * perBlock

/**
 * The loopback address of a service, the same on every machine and for ever: the log records it (`LoopbackAssigned`),
 * also for a service that was removed. A service without an address gets the one that the hash of its name selects, or
 * the next free one; so a cluster that lost its log most likely chooses the same address again. `null`: every address
 * belongs to another service.
 */
export function loopbackOf(state: Pick<State, 'loopbacks'>, service: string): string | null {
  const known = state.loopbacks[service]
  if (known !== undefined) return known
  const taken = new Set(Object.values(state.loopbacks))
  const first = Number.parseInt(sha256(service).slice(0, 8), 16)
  for (let step = 0; step < addresses; step++) {
    const address = nth((first + step) % addresses)
    if (!taken.has(address)) return address
  }
  return null
}

const nth = (index: number): string => `${net}.${Math.floor(index / perBlock)}.${(index % perBlock) + 1}`

/**
 * On a laptop, the ports of http services that others call; each further machine's are 1000 higher. Below the ports of
 * instances, above those of `tandem up`.
 */
const laptopPorts = { first: 12_000, count: 1_000 }

interface Assigned {
  /** The state with the new addresses. */
  state: Pick<State, 'loopbacks' | 'laptopPorts'>
  events: Event[]
}

/**
 * Gives an address to this service, if it has local routes or others call it, and to each service that it calls. `null`:
 * there is no address left.
 */
export function assignLoopbacks(state: State, definition: Definition): Assigned | null {
  const { service, routes } = definition
  const needs = [
    ...((routes ?? []).some(isLocal) || isCalled(state, service) ? [[service, definition] as const] : []),
    ...callsOf(definition)
      .filter(isServiceCall)
      .flatMap((call) => {
        const called = definitionNow(state, call.service)
        return called === null ? [] : [[call.service, called] as const]
      }),
  ]
  const assigned: Assigned = { state, events: [] }
  for (const [name, about] of needs) {
    const data = assignment(state, assigned.state, name, about)
    if (data === null) return null
    if (data === 'known') continue
    const { loopbacks, laptopPorts: ports } = assigned.state
    assigned.events.push({ type: 'LoopbackAssigned', data })
    assigned.state = {
      loopbacks: { ...loopbacks, [name]: data.address },
      laptopPorts: data.port === undefined ? ports : { ...ports, [name]: data.port },
    }
  }
  return assigned
}

function assignment(
  { config }: State,
  known: Assigned['state'],
  service: string,
  { listen, routes }: Definition,
): { service: string; address: string; port?: number } | 'known' | null {
  if (listen === 'none' || service in known.loopbacks) return 'known'
  if (!config.laptop) {
    const address = loopbackOf(known, service)
    return address === null ? null : { service, address }
  }
  // Every other route of a laptop has a port that its definition names.
  if (listen === 'tcp' || (routes ?? []).some(isLocal)) return 'known'
  const taken = new Set(Object.values(known.laptopPorts))
  const { first, count } = laptopPorts
  const start = Number.parseInt(sha256(service).slice(0, 8), 16) % count
  const steps = Array.from({ length: count }, (_, step) => first + ((start + step) % count))
  const port = steps.find((one) => !taken.has(one))
  return port === undefined ? null : { service, address: laptopAddress, port }
}
