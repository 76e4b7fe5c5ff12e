import type { Definition } from '../definitions/definition.ts'
import { definitionSchema } from '../definitions/definitionSchema.ts'
import { probeHostOf, withoutProbeHost } from '../definitions/probeHost.ts'
import { definitionOf } from '../fleet/serving.ts'
import { remembered } from '../lib/remembered.ts'
import { asDeclared, declaredRoutes, withoutExposure } from '../protocol/declaredRoutes.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { State } from './state.ts'

/** The definitions of releases, in the parts that older agents can read. */
type Described = Pick<MachineDesire, 'definitions' | 'declaredRoutes' | 'probeHosts' | 'publishedKeys'>

/** Describes the releases of all instances, and `more`. */
export function describedReleases(state: State, more: readonly string[]): Described {
  const running = ofInstances(state)
  const others = more.filter((release) => !Object.hasOwn(running.definitions, release))
  if (others.length === 0) return running
  const added = describe(state, others)
  return {
    definitions: { ...running.definitions, ...added.definitions },
    declaredRoutes: { ...running.declaredRoutes, ...added.declaredRoutes },
    probeHosts: { ...running.probeHosts, ...added.probeHosts },
    publishedKeys: { ...running.publishedKeys, ...added.publishedKeys },
  }
}

/** Definitions of releases do not change, so the same instances have the same ones. */
const known = new WeakMap<State['instances'], Described>()

function ofInstances(state: State): Described {
  const { instances } = state
  const made = known.get(instances) ?? describe(state, [...new Set(Object.values(instances).map((one) => one.release))])
  known.set(instances, made)
  return made
}

function describe(state: State, releases: readonly string[]): Described {
  const definitions = releases.map((release) => [release, definitionOf(state, release)] as const)
  return {
    definitions: Object.fromEntries(definitions.map(([release, one]) => [release, asSent(one)])),
    declaredRoutes: Object.fromEntries(definitions.flatMap(([release, one]) => entry(release, declaredIn(one)))),
    probeHosts: Object.fromEntries(definitions.flatMap(([release, one]) => entry(release, probeHostOf(one)))),
    publishedKeys: Object.fromEntries(definitions.flatMap(([release, one]) => entry(release, leftOut(one)))),
  }
}

/** The definition as every machine gets it, in the parts that older agents can read. */
export const asSent = remembered((definition: Definition) =>
  withoutProbeHost(withoutExposure(onlyOfMachines(definition))),
)

/** Keys whose values a machine gets in other slices are left out, so that older agents accept the definition. */
function onlyOfMachines(definition: Definition): Definition {
  const { uses: _, about: __, requires: ___, secrets: ____, config: _____, files: ______, ...others } = definition
  return others
}

/** The keys out of which `asSent` leaves something, as published; `null`: none. */
const leftOut = remembered((definition: Definition): Record<string, unknown> | null => {
  const sent: Record<string, unknown> = asSent(definition)
  const keys = Object.entries(definition).filter(
    ([key, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(sent[key]),
  )
  return keys.length === 0 ? null : Object.fromEntries(keys)
})

/** The definitions of a desired state as they were published, with the keys that `asSent` left out. */
export const heldDefinitions = ({
  definitions,
  declaredRoutes: routes,
  publishedKeys,
}: Omit<Described, 'probeHosts'>): Record<string, Definition> =>
  Object.fromEntries(
    Object.entries(definitions).map(([release, sent]) => [
      release,
      // An older agent has only the routes.
      asPublished(asDeclared(sent, routes[release]), publishedKeys[release] ?? {}),
    ]),
  )

/** One by one: a later version of the controller may have sent a key that this one does not know. */
function asPublished(sent: Definition, keys: Record<string, unknown>): Definition {
  let whole = sent
  for (const [key, value] of Object.entries(keys))
    whole = definitionSchema.safeParse({ ...whole, [key]: value }).data ?? whole
  return whole
}

const declaredIn = remembered(declaredRoutes)

const entry = <T>(release: string, value: T | null): [string, T][] => (value === null ? [] : [[release, value]])
