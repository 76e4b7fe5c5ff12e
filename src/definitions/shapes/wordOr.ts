import { isScalar } from 'yaml'
import type { Shape } from './shape.ts'

/** The other form, or a word that says the same as leaving the key out. */
export function wordOr<T, S>(word: string, shape: Shape<T, S>): Shape<T | null, S | null> {
  return {
    schema: { anyOf: [{ enum: [word] }, shape.schema] },
    kept: shape.kept,
    blank: null,
    store: (value) => (value === null ? null : shape.store(value)),
    read(raw, path, source) {
      const node = source.enter(raw, path)
      return isScalar(node) && node.value === word ? null : shape.read(raw, path, source)
    },
  }
}
