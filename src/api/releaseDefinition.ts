import { z } from 'zod'
import { releasePrefix, service, type Operation } from './operation.ts'

export const releaseDefinitionSchema = z.object({
  service,
  release: z.string(),
  keys: z
    .array(
      z.object({
        key: z.string().describe('as in tandem.yaml, with dots: health.every'),
        value: z.string().describe('as people write it, on one line'),
        isDefault: z.boolean().describe('it would be the same without the key'),
      }),
    )
    .describe('the definition for this cluster, its environment applied'),
  drainMs: z.int().describe('the longest that work in flight may continue before an old instance is stopped'),
})
export type ReleaseDefinition = z.output<typeof releaseDefinitionSchema>

export const releaseDefinitionOperations = {
  releaseDefinition: {
    ...{ method: 'GET', path: '/services/:service/releases/:release/definition', role: 'reader' },
    summary: 'the definition of a release, and its keys that equal a default',
    params: z.object({ service, release: releasePrefix.describe('a release id or an unambiguous prefix') }),
    response: releaseDefinitionSchema,
  },
} as const satisfies Record<string, Operation>
