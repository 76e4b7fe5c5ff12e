import { roomOf } from '../decision/room.ts'
import { metadataUses } from '../definitions/firewall/metadata.ts'
import { firewallOf } from '../definitions/firewall/facets.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { GuardedRoute } from '../protocol/firewall.ts'
import { callersOf, callersOutside } from '../rollout/callers.ts'
import { desiredRoutes } from '../rollout/desiredRoutes.ts'
import type { FirewallEvents } from '../events/firewallEvents.ts'
import type { State } from '../rollout/state.ts'
import { firewallLinks } from './links.ts'
import { refusalsIn } from './refusals.ts'
import { pairOf, type FirewallState, type FirewallWorld } from './state.ts'
import { firewallWords } from './words.ts'

/** The firewall: who may connect to which service on a machine, and who was refused. */
export const firewall = roomOf<FirewallWorld, FirewallState, FirewallEvents, never, 'firewall'>()({
  name: 'firewall',
  words: firewallWords,
  links: firewallLinks,
  initial: { refusedCalls: {} },
  folds: {
    ConnectionRefused: ({ refusedCalls }, { data: { from, to } }) => ({
      refusedCalls: { ...refusedCalls, [pairOf(from, to)]: true },
    }),
    ServiceRemoved: ({ refusedCalls }, { data: { service } }) => ({
      refusedCalls: Object.fromEntries(
        Object.entries(refusedCalls).filter(([pair]) => !pair.split(' > ').includes(service)),
      ),
    }),
  },
  facts: refusalsIn,
  commands: {},
  desire: (state, machine) => ({ firewall: guardOf(state, machine) }),
})

function guardOf(state: State, machine: string): MachineDesire['firewall'] {
  if (state.config.laptop || state.cluster === null) return null
  const { mode, users } = firewallOf(state.cluster)
  const metadata = callersOutside(state, metadataUses)
  return { mode, users: [...users], routes: guardedRoutes(state, machine), metadata }
}

/** Every loopback address and port at which the machine's balancer listens. */
function guardedRoutes(state: State, machine: string): GuardedRoute[] {
  const { routes, localRoutes } = desiredRoutes(state, machine)
  const listeners = [
    ...localRoutes.map(({ match: { address, port }, service }) => ({ address, port, service })),
    ...routes.flatMap(({ match, service }) =>
      match.kind === 'tcp' && match.address !== null ? [{ address: match.address, port: match.port, service }] : [],
    ),
  ]
  return listeners
    .map((one) => ({ ...one, callers: callersOf(state, one.service) }))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

const key = ({ address, port }: { address: string; port: number }): string => `${address} ${port}`
