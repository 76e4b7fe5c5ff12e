import { isMap, isScalar, type Node, type YAMLMap } from 'yaml'
import { nearest } from '../suggest.ts'
import type { Path, YamlSource } from '../yamlSource.ts'
import { describeNode, type JsonSchema, type Shape } from './shape.ts'
import { clip } from './text.ts'

/** One key of a group: its shape, its documentation, and its value when the key is not written. */
export interface Key<T> {
  shape: Shape<T>
  doc: string
  required: boolean
  /** The default as it would be written; `undefined` when there is none to write. */
  default: unknown
  absent(): T
  /** Names of this key in other tools: when one of them is written, this key is suggested. */
  aka: readonly string[]
}

export type Keys = Record<string, Key<unknown>>
export type Values<K extends Keys> = { [N in keyof K]: K[N] extends Key<infer T> ? T : never }

export function required<T>(shape: Shape<T>, doc: string, aka: string[] = []): Key<T> {
  return { shape, doc, required: true, default: undefined, absent: () => shape.blank, aka }
}

export function optional<T>(shape: Shape<T>, doc: string, aka: string[] = []): Key<T | null> {
  return { shape, doc, required: false, default: undefined, absent: () => null, aka }
}

/** `written` is the default as people would write it, `value` as read; a test compares them. */
export function withDefault<T>(shape: Shape<T>, written: unknown, value: T, doc: string, aka: string[] = []): Key<T> {
  return { shape, doc, required: false, default: written, absent: () => structuredClone(value), aka }
}

/** A nested group: when left out, it has the defaults of its keys. */
export function nested<T>(shape: Shape<T>, doc: string, aka: string[] = []): Key<T> {
  return { shape, doc, required: false, default: undefined, absent: () => structuredClone(shape.blank), aka }
}

/** A map with known keys. */
export function group<K extends Keys>(what: string, keys: K, unknownHint = ''): Shape<Values<K>> {
  const absent = (): Values<K> => collect(keys, (key) => key.absent())
  return {
    schema: groupSchema(keys),
    get blank() {
      return absent()
    },
    read(raw, path, source) {
      const node = source.enter(raw, path)
      if (!isMap(node)) {
        source.problem(path, `expected ${what}, found ${describeNode(node)}`)
        return absent()
      }
      const pairs = readPairs(node, path, source)
      const meant = new Set<string>()
      for (const [name, pair] of pairs) {
        if (Object.hasOwn(keys, name)) continue
        const [message, suggestion] = unknownKey(name, what, keys, path, source)
        source.problem([...path, name], `${message}${unknownHint}`, { node: pair.key, suggestion })
        if (suggestion !== null) meant.add(suggestion)
      }
      return collect(keys, (key, name) => {
        const pair = pairs.get(name)
        if (pair) return key.shape.read(pair.value, [...path, name], source)
        // A misspelt key was already reported, with this key as the suggestion.
        if (key.required && !meant.has(name)) {
          const message = `the required key \`${name}\` is missing (${firstSentence(key.doc)})`
          source.problem([...path, name], message)
        }
        return key.absent()
      })
    },
  }
}

export interface ReadPair {
  key: Node | null
  value: Node | null
}

/** The pairs of a map by key; a duplicate key is a problem, and the first pair counts. */
export function readPairs(node: YAMLMap, path: Path, source: YamlSource): Map<string, ReadPair> {
  const pairs = new Map<string, ReadPair>()
  for (const pair of node.items) {
    const key = pair.key as Node | null // a parsed map holds nodes only
    const value = pair.value as Node | null // likewise
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : null
    if (name === null) source.problem([...path, ''], 'a key must be plain text', { node: key })
    else if (pairs.has(name)) source.problem([...path, name], `the key \`${clip(name)}\` occurs twice`, { node: key })
    else pairs.set(name, { key, value: value ?? emptyValue(key) })
  }
  return pairs
}

/** For `key:` without a value: keeps the key's position for the message. */
function emptyValue(key: Node | null): Node | null {
  if (!isScalar(key)) return null
  const empty = key.clone() as typeof key // a clone has the type of its original
  empty.value = null
  return empty
}

function collect<K extends Keys>(keys: K, value: (key: Key<unknown>, name: string) => unknown): Values<K> {
  const entries = Object.entries(keys).map(([name, key]) => [name, value(key, name)])
  return Object.fromEntries(entries) as Values<K> // every key of K, each with the value from its own shape
}

function unknownKey(name: string, what: string, keys: Keys, path: Path, source: YamlSource): [string, string | null] {
  if (name === '<<') return ['YAML merge keys (`<<`) are not understood; write the keys out', null]
  const message = `unknown key \`${clip(name)}\` in ${what}`
  const byOtherName = Object.entries(keys).find(([, key]) => key.aka.includes(name))?.[0]
  const near = byOtherName ?? nearest(name, Object.keys(keys))
  if (near !== null)
    return source.says([...path, near]) ? [`${message}; \`${near}\` is there too`, null] : [message, near]
  const home = source.homes.get(name)
  if (home === undefined || home === [...path, name].join('.')) return [message, null]
  if (source.says(home.split('.'))) return [`${message}; \`${home}\` is there too`, null]
  // The message about an overlay already lists its allowed keys.
  if (home === name) return [path[0] === 'environments' ? message : `${message}; it belongs at the top level`, null]
  return [message, home]
}

const firstSentence = (doc: string): string => doc.split(/[.;:](?:\s|$)/, 1)[0] ?? doc

function groupSchema(keys: Keys): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  for (const [name, key] of Object.entries(keys)) {
    properties[name] = {
      ...key.shape.schema,
      description: key.doc,
      ...(key.default === undefined ? {} : { default: key.default }),
    }
  }
  const needed = Object.keys(keys).filter((name) => keys[name]?.required)
  return { type: 'object', properties, ...(needed.length > 0 ? { required: needed } : {}), additionalProperties: false }
}
