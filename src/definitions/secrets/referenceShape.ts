import { isMap } from 'yaml'
import { group, omitted, optional, required } from '../shapes/group.ts'
import { entries } from '../shapes/entries.ts'
import type { Shape } from '../shapes/shape.ts'
import { choice, text } from '../shapes/text.ts'
import { credentialName, credentialNameRule, mostReferences, referencePattern, referenceRule } from './references.ts'

const from = text({ expects: referenceRule, pattern: referencePattern })

const written = group('a secret', {
  from: required(from, 'The secret, and perhaps one of its fields after #', ['path', 'secret', 'source']),
  as: omitted(
    optional(
      choice(['file', 'env']),
      '`file`: in $CREDENTIALS_DIRECTORY. `env`: a variable, for programs that cannot read files.',
      ['type', 'kind'],
    ),
  ),
})

/** One secret of a service: its path, or a map. */
const reference: typeof written = {
  ...written,
  schema: { anyOf: [from.schema, written.schema] },
  store: ({ from: path, as }) => ({ from: path, ...(as === 'env' ? { as } : {}) }),
  read(raw, path, source) {
    const node = source.enter(raw, path)
    return isMap(node) ? written.read(node, path, source) : { from: from.read(node, path, source), as: null }
  },
}

export const referencesShape = entries(reference as Shape<typeof reference.blank, ReturnType<typeof reference.store>>, {
  what: 'a map of secrets',
  least: 1,
  most: mostReferences,
  pattern: credentialName,
  refuseKey: (name) => (credentialName.test(name) ? null : `\`${name.slice(0, 60)}\` is not ${credentialNameRule}`),
})
