import type { ClusterDefinition } from '../cluster.ts'
import type { Definition } from '../definition.ts'
import type { Replaced } from '../environmentChecks.ts'
import { refuseEnvironmentName } from '../names.ts'
import type { YamlSource } from '../yamlSource.ts'
import { environmentCredential } from './references.ts'

/** A warning, for the one who writes the file; `tandem secrets init` refuses it. */
export function checkSeal({ seal }: ClusterDefinition, source: YamlSource): void {
  if (seal && seal.threshold > seal.shares)
    source.warn(['seal', 'threshold'], `${seal.threshold} of ${seal.shares} shares can never open the root key`)
}

type Checked = Pick<Definition, 'service' | 'secrets'> & Replaced

/** Checks the names of a service's secrets against the variables that are set otherwise. */
export function checkReferences({ secrets = {}, env, overlays }: Checked, source: YamlSource): void {
  for (const [name, { as = 'file' }] of Object.entries(secrets)) {
    const path = ['secrets', name]
    if (as === 'file') {
      if (name !== environmentCredential) continue
      source.problem(path, `the file ${name} holds the secrets \`as: env\`; give this one another name`)
      continue
    }
    const refused = refuseEnvironmentName(name)
    if (refused !== null) source.problem(path, refused)
    else if (Object.hasOwn(env, name)) source.problem(path, `\`env\` sets ${name} too; remove one of both`)
    for (const [cluster, own] of Object.entries(overlays))
      if (Object.hasOwn(own, name))
        source.problem(['environments', cluster, 'env', name], `\`secrets\` sets ${name} too`)
  }
}

/** The variables that secrets set. */
export const secretVariables = ({ secrets = {} }: Pick<Definition, 'secrets'>): string[] =>
  Object.entries(secrets).flatMap(([name, { as }]) => (as === 'env' ? [name] : []))
