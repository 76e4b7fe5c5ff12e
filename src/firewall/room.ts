import { roomOf } from '../decision/room.ts'
import { firewallOf } from '../definitions/firewall/facets.ts'
import { servicesUsed } from '../definitions/uses/variables.ts'
import { remembered } from '../lib/remembered.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { GuardedRoute } from '../protocol/firewall.ts'
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
  return { mode, users: [...users], routes: guardedRoutes(state, machine) }
}

/** Every loopback address and port at which the machine's balancer listens. */
function guardedRoutes(state: State, machine: string): GuardedRoute[] {
  const { routes, localRoutes } = desiredRoutes(state, machine)
  const callers = callersIn(state)
  const listeners = [
    ...localRoutes.map(({ match: { address, port }, service }) => ({ address, port, service })),
    ...routes.flatMap(({ match, service }) =>
      match.kind === 'tcp' && match.address !== null ? [{ address: match.address, port: match.port, service }] : [],
    ),
  ]
  return listeners
    .map((one) => ({ ...one, callers: [...(callers.get(one.service) ?? [])] }))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

const key = ({ address, port }: { address: string; port: number }): string => `${address} ${port}`

/**
 * The services that use each service, in any release that has an instance, is current or is being rolled: the old release
 * keeps its rights until its last instance is gone, and the new one has them before its first.
 */
export const callersIn = remembered((state: State): ReadonlyMap<string, readonly string[]> => {
  const releases = new Set([
    ...Object.values(state.instances).map(({ release }) => release),
    ...Object.values(state.services).flatMap(({ current }) => current?.release ?? []),
    ...Object.values(state.rollouts).flatMap(({ stage, release }) => (stage === 'finished' ? [] : [release])),
  ])
  const callers = new Map<string, Set<string>>()
  for (const release of releases) {
    const definition = state.releases[release]?.definition
    for (const { service } of servicesUsed(definition?.uses)) {
      const known = callers.get(service) ?? new Set()
      callers.set(service, known)
      if (definition !== undefined && definition.service !== service) known.add(definition.service)
    }
  }
  return new Map([...callers].map(([service, all]) => [service, [...all].sort()]))
})
