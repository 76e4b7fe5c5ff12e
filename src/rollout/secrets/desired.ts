import { referencesOf } from '../../definitions/secrets/references.ts'
import { definitionOf } from '../../fleet/serving.ts'
import { remembered } from '../../lib/remembered.ts'
import type { SecretGeneration } from '../../protocol/secrets.ts'
import { generationsOn } from '../generationsOn.ts'
import type { State } from '../state.ts'

/** The generations with secrets that run on a machine, or are about to. */
export const secretGenerations = (state: State, machine: string): SecretGeneration[] =>
  servicesWithSecrets(state.generations).flatMap((service) => generationsOf(state, machine, service))

const servicesWithSecrets = remembered((generations: State['generations']): readonly string[] =>
  [...new Set(Object.values(generations).flatMap(({ service, pins }) => (pins?.secrets ? [service] : [])))].sort(),
)

/** The same of one service. */
export const generationsOf = (state: State, machine: string, service: string): SecretGeneration[] =>
  generationsOn(state, machine, service).flatMap(({ id, release, pins }) =>
    pins?.secrets ? [{ service, generation: id, release, versions: pins.secrets }] : [],
  )

/** The secrets of a generation: by name, its path, field and version. */
export function versionedReferences(state: State, { generation, release }: SecretGeneration) {
  const versions = state.generations[generation]?.pins?.secrets ?? {}
  return referencesOf(definitionOf(state, release)).map((one) => ({ ...one, version: versions[one.path] ?? null }))
}
