import type { ClusterDefinition } from '../cluster.ts'
import type { YamlSource } from '../yamlSource.ts'

/** A warning, for the one who writes the file; `tandem secrets init` refuses it. */
export function checkSeal({ seal }: ClusterDefinition, source: YamlSource): void {
  if (seal && seal.threshold > seal.shares)
    source.warn(['seal', 'threshold'], `${seal.threshold} of ${seal.shares} shares can never open the root key`)
}
