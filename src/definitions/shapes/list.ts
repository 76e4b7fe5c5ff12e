import { isSeq, type Node } from 'yaml'
import type { Kept } from './kept.ts'
import { describeNode, type Shape } from './shape.ts'

/** A list whose items all have one shape. */
export function list<T, S>(item: Shape<T, S>, about: { what: string; least: number; most: number }): Shape<T[], S[]> {
  const { what, least, most } = about
  return {
    schema: { type: 'array', items: item.schema, ...(least > 0 ? { minItems: least } : {}), maxItems: most },
    kept: { kind: 'list', item: item.kept, least, most, distinct: false },
    blank: [],
    store: (values) => values.map((value) => item.store(value)),
    read(raw, path, source) {
      const node = source.enter(raw, path)
      if (!isSeq(node)) {
        source.problem(path, `expected a list of ${what}, found ${describeNode(node)}`)
        return []
      }
      if (node.items.length < least) {
        source.problem(path, `the list of ${what} ${least === 1 ? 'is empty' : `has fewer than ${least}`}`)
      }
      if (node.items.length > most) {
        source.problem(path, `the list has ${node.items.length} ${what}; at most ${most} are allowed`)
        return []
      }
      const items = node.items as (Node | null)[] // a parsed sequence holds nodes only
      return items.map((each, index) => item.read(each, [...path, index], source))
    },
  }
}

/** A list without duplicates. */
export function distinct(items: Shape<string[]>): Shape<string[]> {
  return {
    ...items,
    schema: { ...items.schema, uniqueItems: true },
    kept: { ...items.kept, distinct: true } as Kept, // of a list
    read(node, path, source) {
      const found = items.read(node, path, source)
      if (!source.isSound(path)) return found
      for (const [index, each] of found.entries()) {
        const first = found.indexOf(each)
        if (first < index) source.problem([...path, index], `"${each}" occurs twice in this list`)
      }
      return found
    },
  }
}
