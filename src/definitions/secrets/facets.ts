import type { ClusterDefinition } from '../cluster.ts'

/** Lines in the difference of two cluster files. */
export const secretFacets = ({ seal, recovery }: ClusterDefinition): Record<string, string> => ({
  ...(seal ? { 'root key of the secrets': `in ${seal.shares} shares, of which ${seal.threshold} open it` } : {}),
  ...(recovery ? { 'recovery keys': recovery.join(', ') } : {}),
})
