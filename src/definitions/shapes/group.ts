import { isMap, isScalar, type Node, type YAMLMap } from 'yaml'
import { nearest } from '../suggest.ts'
import type { Path, YamlSource } from '../yamlSource.ts'
import type { KeptGroup, KeptKey } from './kept.ts'
import { describeNode, type JsonSchema, type Shape } from './shape.ts'
import { clip } from './text.ts'

/**
 * One key of a group: its shape, its documentation, its value when the key is not written, and how it is stored. `T` is the
 * value as read, `S` as stored, `A` the name under which it is stored if not its own, `O` whether it may be omitted there.
 */
export interface Key<T, S = T, A extends string | null = string | null, O extends boolean = boolean> {
  shape: Shape<T, S>
  doc: string
  required: boolean
  /** The default as it would be written; `undefined` when there is none to write. */
  default: unknown
  absent(): T
  /** Names of this key in other tools: when one of them is written, this key is suggested. */
  aka: readonly string[]
  as: A
  /** Not stored when its value is `null` or `false`, or a nested group with nothing to store. */
  omit: O
  /** How the stored form differs from what `shape` and `omit` say. */
  stored?: Partial<KeptKey>
}

export type Keys = Record<string, Key<unknown, unknown>>
export type Values<K extends Keys> = { [N in keyof K]: K[N] extends Key<infer T, infer _> ? T : never }
type NameOf<K, N> = K extends { as: infer A extends string } ? A : N
type ValueOf<K> = K extends Key<infer _, infer S> ? S : never
type IsOmitted<K> = K extends { omit: true } ? true : false
/** The stored form of a group. */
export type Stored<K extends Keys> = {
  [N in keyof K as IsOmitted<K[N]> extends true ? never : NameOf<K[N], N>]: ValueOf<K[N]>
} & {
  [N in keyof K as IsOmitted<K[N]> extends true ? NameOf<K[N], N> : never]?: NonNullable<ValueOf<K[N]>>
}

const plain = { as: null, omit: false } as const

export function required<T, S>(shape: Shape<T, S>, doc: string, aka: string[] = []): Key<T, S, null, false> {
  return { shape, doc, required: true, default: undefined, absent: () => shape.blank, aka, ...plain }
}

export function optional<T, S>(
  shape: Shape<T, S>,
  doc: string,
  aka: string[] = [],
): Key<T | null, S | null, null, false> {
  return { shape, doc, required: false, default: undefined, absent: () => null, aka, ...plain }
}

/** `written` is the default as people would write it, `value` as read; a test compares them. */
export function withDefault<T, S>(
  shape: Shape<T, S>,
  written: unknown,
  value: T,
  doc: string,
  aka: string[] = [],
): Key<T, S, null, false> {
  return { shape, doc, required: false, default: written, absent: () => structuredClone(value), aka, ...plain }
}

/** A nested group: when left out, it has the defaults of its keys. */
export function nested<T, S>(shape: Shape<T, S>, doc: string, aka: string[] = []): Key<T, S, null, false> {
  return { shape, doc, required: false, default: undefined, absent: () => structuredClone(shape.blank), aka, ...plain }
}

/** The same key, stored under another name: with its unit, such as `everyMs`. */
export function as<T, S, A extends string, O extends boolean>(name: A, key: Key<T, S, null, O>): Key<T, S, A, O> {
  return { ...key, as: name }
}

/** The same key, not stored unless it is written: a key that came later changes no stored form from before it. */
export function omitted<T, S, A extends string | null>(key: Key<T, S, A>): Key<T, S, A, true> {
  return { ...key, omit: true }
}

/** All keys of a group, none of them stored unless it is written. */
export function allOmitted<K extends Keys>(keys: K): AllOmitted<K> {
  const entries = Object.entries(keys).map(([name, key]) => [name, omitted(key)])
  return Object.fromEntries(entries) as AllOmitted<K> // the same keys
}

type AllOmitted<K extends Keys> = {
  [N in keyof K]: K[N] extends Key<infer T, infer S, infer A> ? Key<T, S, A, true> : never
}

/** A shape whose stored form is a group. */
export type GroupShape<K extends Keys> = Shape<Values<K>, Stored<K>> & { readonly kept: KeptGroup }

/** A map with known keys. */
export function group<K extends Keys>(what: string, keys: K, unknownHint = ''): GroupShape<K> {
  const absent = (): Values<K> => collect(keys, (key) => key.absent())
  return {
    schema: groupSchema(keys),
    kept: keptGroup(keys),
    store: (values) => storedGroup(keys, values),
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

function collect<K extends Keys>(keys: K, value: (key: Keys[string], name: string) => unknown): Values<K> {
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

function keptGroup(keys: Keys): KeptGroup {
  const kept = Object.entries(keys).map(([name, key]): [string, KeptKey] => {
    const isNullable = !key.omit && !key.required && key.absent() === null
    return [key.as ?? name, { kept: key.shape.kept, nullable: isNullable, omitted: key.omit, ...key.stored }]
  })
  return { kind: 'group', keys: Object.fromEntries(kept) }
}

function storedGroup<K extends Keys>(keys: K, values: Values<K>): Stored<K> {
  const entries = Object.entries(keys).flatMap(([name, key]) => {
    const value = values[name]
    const stored = value === null ? null : key.shape.store(value)
    return key.omit && isNothing(key, stored) ? [] : [[key.as ?? name, stored]]
  })
  return Object.fromEntries(entries) as Stored<K> // every key of K, under its stored name
}

function isNothing(key: Keys[string], stored: unknown): boolean {
  if (stored === null || stored === false) return true
  const isNested = key.absent() !== null && typeof stored === 'object' && !Array.isArray(stored)
  return isNested && Object.keys(stored).length === 0
}
