import { isMap, isScalar, isSeq, parseDocument, type Node, type Scalar } from 'yaml'
import type { Kept } from './kept.ts'
import type { Refusal } from './refusal.ts'
import type { Path, YamlSource } from '../yamlSource.ts'

/**
 * The allowed form of one value of a file: `T` as it is read, `S` as it is stored. Shapes are the only source of these rules:
 * reading, error messages, suggestions, defaults, the published JSON Schema and the check of the stored form all come
 * from them.
 */
export interface Shape<T, S = T> {
  readonly schema: JsonSchema
  readonly kept: Kept
  /** Stands in for a value that had a problem. No caller ever sees it, because the problem is thrown. */
  readonly blank: T
  /** Reads the value at `path`; records a problem in `source` and then returns `blank`. */
  read(node: Node | null, path: Path, source: YamlSource): T
  /** The stored form of a value that was read. */
  store(value: T): S
}

/** The part of JSON Schema (draft 2020-12) that shapes use. */
export interface JsonSchema {
  $schema?: string
  $id?: string
  title?: string
  description?: string
  type?: string | string[]
  enum?: readonly string[]
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  propertyNames?: JsonSchema
  additionalProperties?: boolean | JsonSchema
  anyOf?: JsonSchema[]
  default?: unknown
  examples?: unknown[]
}

/** A shape of one scalar. `parse` receives the scalar as written, and its YAML type. */
export function scalar<T>(about: {
  expects: string
  blank: T
  schema: JsonSchema
  kept: Kept
  parse: (written: string, type: ScalarType) => T | Refusal
}): Shape<T> {
  return {
    schema: about.schema,
    kept: about.kept,
    store: (value) => value,
    blank: about.blank,
    read(raw, path, source) {
      const node = source.enter(raw, path)
      const found = describeNode(node)
      if (!isScalar(node) || node.value === null) {
        source.problem(path, `expected ${about.expects}, found ${found}`)
        return about.blank
      }
      const parsed = about.parse(writtenScalar(node), scalarType(node))
      if (!isRefusal(parsed)) return parsed
      source.problem(path, parsed.refused, { suggestion: accepted(parsed.suggestion ?? null, about.parse) })
      return about.blank
    },
  }
}

/** A suggestion that would itself be refused does not help. */
function accepted(suggestion: string | null, parse: (written: string, type: ScalarType) => unknown): string | null {
  const node = suggestion === null ? null : parseDocument(suggestion).contents
  return isScalar(node) && node.value !== null && !isRefusal(parse(writtenScalar(node), scalarType(node)))
    ? suggestion
    : null
}

export type ScalarType = 'string' | 'number' | 'boolean'

export const isRefusal = (parsed: unknown): parsed is Refusal =>
  typeof parsed === 'object' && parsed !== null && 'refused' in parsed

/** `1.10` is "1.10": plain numbers keep their written form. */
function writtenScalar(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}

function scalarType(node: Scalar): ScalarType {
  if (typeof node.value === 'number' || typeof node.value === 'bigint') return 'number'
  return typeof node.value === 'boolean' ? 'boolean' : 'string'
}

/** Describes a value for messages: "a list", "the number 5". */
export function describeNode(node: Node | null): string {
  if (isSeq(node)) return 'a list'
  if (isMap(node)) return 'a map'
  if (!isScalar(node) || node.value === null) return 'nothing'
  const written = writtenScalar(node)
  const short = written.length > 40 ? `${written.slice(0, 40)}…` : written
  return typeof node.value === 'string' ? `the text "${short}"` : `the ${scalarType(node)} ${short}`
}
