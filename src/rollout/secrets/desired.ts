import { referencesOf } from '../../definitions/secrets/references.ts'
import { definitionOf, instancesOn } from '../../fleet/serving.ts'
import { remembered } from '../../lib/remembered.ts'
import type { SecretGeneration } from '../../protocol/secrets.ts'
import { backTarget } from '../backTarget.ts'
import { forwardTarget, runningRollout } from '../serviceView.ts'
import type { State } from '../state.ts'

/** The generations with secrets that run on a machine, or are about to. */
export function secretGenerations(state: State, machine: string): SecretGeneration[] {
  const services = servicesWithSecrets(state.generations)
  if (services.size === 0) return []
  return [...services].sort().flatMap((service) => generationsOf(state, machine, service))
}

const servicesWithSecrets = remembered(
  (generations: State['generations']): ReadonlySet<string> =>
    new Set(Object.values(generations).flatMap(({ service, secrets }) => (secrets ? [service] : []))),
)

/** The same of one service. */
export function generationsOf(state: State, machine: string, name: string): SecretGeneration[] {
  const service = state.services[name]
  const rollout = runningRollout(state, name)
  const part = rollout?.machines[machine]
  const ids = [
    ...instancesOn(state, name, machine).flatMap(({ state: is, generation }) =>
      is === 'stopping' ? [] : [generation],
    ),
    ...(rollout && part ? [forwardTarget(state, rollout, machine)?.generation] : []),
    ...(rollout?.prepare?.machine === machine ? [rollout.id] : []),
    ...(service ? [backTarget(state, service, machine)?.generation] : []),
  ]
  return [...new Set(ids.filter((id) => id !== undefined))].sort().flatMap((generation) => {
    const known = generation === undefined ? undefined : state.generations[generation]
    return generation !== undefined && known?.secrets ? [{ service: name, generation, release: known.release }] : []
  })
}

/** The secrets of a generation: by name, its path, field and version. */
export function versionedReferences(state: State, { generation, release }: SecretGeneration) {
  const versions = state.generations[generation]?.secrets ?? {}
  return referencesOf(definitionOf(state, release)).map((one) => ({ ...one, version: versions[one.path] ?? null }))
}
