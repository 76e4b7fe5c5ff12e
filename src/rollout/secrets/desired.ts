import { referencesOf } from '../../definitions/secrets/references.ts'
import { definitionOf } from '../../fleet/serving.ts'
import type { SecretGeneration } from '../../protocol/secrets.ts'
import { generationsOn, pinnedOn, type NamedGeneration } from '../generationsOn.ts'
import type { State } from '../state.ts'

/** The generations with secrets that run on a machine, or are about to. */
export const secretGenerations = (state: State, machine: string): SecretGeneration[] =>
  pinnedOn(state, machine, 'secrets').flatMap(withVersions)

/** The same of one service. */
export const generationsOf = (state: State, machine: string, service: string): SecretGeneration[] =>
  generationsOn(state, machine, service).flatMap(withVersions)

const withVersions = ({ id, service, release, pins }: NamedGeneration): SecretGeneration[] =>
  pins?.secrets ? [{ service, generation: id, release, versions: pins.secrets }] : []

/** The secrets of a generation: by name, its path, field and version. */
export function versionedReferences(state: State, { generation, release }: SecretGeneration) {
  const versions = state.generations[generation]?.pins?.secrets ?? {}
  return referencesOf(definitionOf(state, release)).map((one) => ({ ...one, version: versions[one.path] ?? null }))
}
