import { isMap } from 'yaml'
import { readPairs } from './group.ts'
import { describeNode, type Shape } from './shape.ts'

/** A map whose keys people choose (names of variables, machines, clusters) and whose values all have one shape. */
export function entries<T, S>(
  value: Shape<T, S>,
  about: {
    what: string
    least?: number
    most: number
    pattern: RegExp
    /** The problem with this key, or `null`. */
    refuseKey(name: string): string | null
  },
): Shape<Record<string, T>, Record<string, S>> {
  return {
    schema: {
      type: 'object',
      propertyNames: { pattern: about.pattern.source },
      additionalProperties: value.schema,
    },
    kept: {
      ...{ kind: 'map', value: value.kept, most: about.most, keys: about.pattern },
      refuseKey: (name: string) => about.refuseKey(name),
    },
    blank: {},
    store: (values) => Object.fromEntries(Object.entries(values).map(([name, one]) => [name, value.store(one)])),
    read(raw, path, source) {
      const node = source.enter(raw, path)
      if (!isMap(node)) {
        source.problem(path, `expected ${about.what}, found ${describeNode(node)}`)
        return {}
      }
      const pairs = readPairs(node, path, source)
      if (pairs.size > about.most) source.problem(path, `has ${pairs.size} entries; at most ${about.most} are allowed`)
      if (pairs.size < (about.least ?? 0)) source.problem(path, `is empty; expected ${about.what}`)
      const found: [string, T][] = []
      for (const [name, pair] of pairs) {
        const refused =
          name === '<<' ? 'YAML merge keys (`<<`) are not understood; write the entries out' : about.refuseKey(name)
        if (refused !== null) source.problem([...path, name], refused, { node: pair.key })
        else found.push([name, value.read(pair.value, [...path, name], source)])
      }
      return Object.fromEntries(found)
    },
  }
}
