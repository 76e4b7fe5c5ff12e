import { addressFacets, checkVirtualAddresses } from './addresses/cluster.ts'
import { addressKind, addressPrograms } from './addresses/drivers.ts'
import { addressKeys } from './addresses/keys.ts'
import type { Call } from './calls.ts'
import type { Definition } from './definition.ts'
import type { Replaced } from './environmentChecks.ts'
import { checkConfig } from './config/check.ts'
import { configKeys } from './config/keys.ts'
import { checkFiles, fileVariables } from './files/check.ts'
import { fileKeys } from './files/keys.ts'
import { checkFirewall } from './firewall/check.ts'
import { firewallFacets, withMode } from './firewall/facets.ts'
import { firewallKeys } from './firewall/keys.ts'
import type { ClusterDefinition } from './cluster.ts'
import { requiresKeys } from './requires/keys.ts'
import { checkReferences, checkSeal, secretVariables } from './secrets/check.ts'
import { secretFacets } from './secrets/facets.ts'
import { secretDefinitionKeys, secretKeys } from './secrets/keys.ts'
import { checkUses } from './uses/checkUses.ts'
import { usesKeys } from './uses/keys.ts'
import { variablesOf } from './uses/variables.ts'
import type { YamlSource } from './yamlSource.ts'

/** Here a feature hangs in its keys of a service's definition, */
export const featureDefinitionKeys = {
  ...usesKeys,
  ...requiresKeys,
  ...secretDefinitionKeys,
  ...configKeys,
  ...fileKeys,
}

/** the rules that join these keys to others, */
export const featureDefinitionRules: readonly ((
  written: Pick<Definition, 'service' | 'uses' | 'secrets' | 'config' | 'files'> & Replaced,
  source: YamlSource,
) => void)[] = [checkUses, checkReferences, checkConfig, checkFiles]

/** the variables that each of these keys sets for an instance, */
export const featureVariables = (definition: Definition): Record<string, string[]> => ({
  uses: variablesOf(definition.uses),
  secrets: secretVariables(definition),
  config: Object.keys(definition.config ?? {}),
  files: fileVariables(definition),
})

/** those of them that commands and `env` may name, */
export const namedVariables = (variables: Record<string, string[]>): string[] =>
  Object.entries(variables).flatMap(([key, names]) => (key === 'secrets' ? [] : names))

/** and what the service calls by them. */
export const callsOf = ({ uses = [] }: Pick<Definition, 'uses'>): readonly Call[] => uses

/** Here it hangs in its keys of a cluster file, of which every machine receives the values, */
export const featureKeys = { ...addressKeys, ...firewallKeys, ...secretKeys }

/** the rules that join these keys to others, */
export const featureRules: readonly ((cluster: ClusterDefinition, source: YamlSource) => void)[] = [
  checkVirtualAddresses,
  checkFirewall,
  checkSeal,
]

/** lines in the difference of two cluster files, */
export const featureFacets = (cluster: ClusterDefinition): Record<string, string> => ({
  ...addressFacets(cluster),
  ...firewallFacets(cluster),
  ...secretFacets(cluster),
})

/** the file that holds once `after` is applied over `before`, where a key left out does not stand for its default, */
export const settled = (before: ClusterDefinition | null, after: ClusterDefinition): ClusterDefinition =>
  withMode(before, after)

/** its kind of driver, by the key below `drivers`, */
export const featureDrivers = { address: addressKind }

/** and the programs of the system that these drivers need. */
export const featurePrograms = { ...addressPrograms }
