import { clusterShape } from './clusterShape.ts'
import { definitionShape } from './definitionShape.ts'
import type { JsonSchema } from './shapes/shape.ts'

const draft = 'https://json-schema.org/draft/2020-12/schema'

/**
 * The JSON Schemas for editors, generated from the shapes that the validator uses. They express less than the
 * validator: how keys depend on each other (routes and `listen`, names and `env`) is checked by `tandem validate`.
 */
export const jsonSchemas: Readonly<Record<string, JsonSchema>> = {
  'tandem.schema.json': {
    $schema: draft,
    title: 'tandem.yaml',
    description: 'The definition of one service.',
    ...definitionShape.schema,
  },
  'cluster.schema.json': {
    $schema: draft,
    title: 'cluster.yaml',
    description: 'The machines that serve together.',
    ...clusterShape.schema,
  },
}
