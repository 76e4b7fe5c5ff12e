import type { Definition } from './definition.ts'
import { definitionShape } from './definitionShape.ts'

/** A key of a definition as people write it: `health.every`, `100ms`. */
export interface WrittenKey {
  key: string
  value: string
  /** It would be the same if the definition did not have the key. */
  isDefault: boolean
}

/** A definition always says these. */
const required: ReadonlySet<string> = new Set(['service', 'run'])

/** Each key of a stored definition, in the order in which people should read them. */
export function writtenKeys(definition: Definition): WrittenKey[] {
  const defaults = new Map(flat(definitionShape.store(definitionShape.blank)))
  return flat(definition)
    .filter(([key]) => key !== 'environments')
    .map(([key, value]) => ({ key, value, isDefault: !required.has(key) && (defaults.get(key) ?? notSet) === value }))
}

const notSet = 'not set'

/** Groups by their keys; lists, and maps within lists, as one value. */
function flat(group: object, path = ''): [key: string, value: string][] {
  return Object.entries(group).flatMap(([name, value]: [string, unknown]) => {
    const { key, text } = written(name, value)
    const whole = `${path}${key}`
    if (text !== null) return [[whole, text]] as [string, string][]
    const inner = flat(value as object, `${whole}.`) // every other value has a text
    return inner.length === 0 ? [[whole, '{}']] : inner
  })
}

/** The stored name and value of a key as they are written; `null`: it is a group. */
function written(name: string, value: unknown): { key: string; text: string | null } {
  const [, short = name, unit] = /^(\w+?)(Ms|Bytes)$/.exec(name) ?? []
  if (typeof value === 'number' && unit !== undefined) {
    return { key: short, text: unit === 'Ms' ? duration(value) : size(value) }
  }
  if (value === null || value === undefined) return { key: short, text: notSet }
  if (typeof value === 'object' && !Array.isArray(value)) return { key: name, text: null }
  return { key: name, text: flow(value) }
}

/** A value on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object' || value === null) return scalar(value)
  const pairs = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  return `{ ${pairs.map(([name, one]) => `${name}: ${flow(one)}`).join(', ')} }`
}

/** Text that another reader of YAML could take for something else stands in quotes. */
const scalar = (value: unknown): string =>
  typeof value === 'string' && !/^[A-Za-z0-9./_-]+$/.test(value) ? JSON.stringify(value) : String(value)

const units: [name: string, ms: number][] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

function duration(ms: number): string {
  const [name, size] = units.find(([, unit]) => ms >= unit && ms % unit === 0) ?? ['ms', 1]
  return `${ms / size}${name}`
}

function size(bytes: number): string {
  const sizes: [string, number][] = [
    ['G', 1024 ** 3],
    ['M', 1024 ** 2],
    ['K', 1024],
  ]
  const [name, unit] = sizes.find(([, one]) => bytes >= one && bytes % one === 0) ?? ['K', 1024]
  return `${Number((bytes / unit).toFixed(3))}${name}`
}
