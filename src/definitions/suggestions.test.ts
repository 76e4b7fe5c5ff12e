import { parse as parseYaml, stringify } from 'yaml'
import { describe, expect, it } from 'vitest'
import { clusterShape } from './clusterShape.ts'
import { definitionShape } from './definitionShape.ts'
import { parseCluster } from './parseCluster.ts'
import { parseDefinition } from './parseDefinition.ts'
import { DefinitionError, type Problem } from './problem.ts'
import type { JsonSchema } from './shapes/shape.ts'

type Parse = (text: string, file: string) => { warnings: readonly Problem[] }

function errorsOf(parse: Parse, text: string): readonly Problem[] {
  try {
    parse(text, 'f')
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems
    throw error
  }
}

const told = (parse: Parse, text: string): readonly Problem[] => {
  const errors = errorsOf(parse, text)
  return errors.length > 0 ? errors : parse(text, 'f').warnings
}

/** A place for a value: keys from the root, `*` for a name that people choose, `-` for an item of a list. */
type Place = readonly string[]

function placesIn(schema: JsonSchema, path: Place = []): Place[] {
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => placesIn(one, [...path, name])),
    ...(typeof schema.additionalProperties === 'object' ? placesIn(schema.additionalProperties, [...path, '*']) : []),
    ...(schema.items ? placesIn(schema.items, [...path, '-']) : []),
    ...(schema.anyOf ?? []).flatMap((one) => placesIn(one, path)),
  ]
  return path.length === 0 ? below : [path, ...below]
}

/** A file with `value` as written at that place, at the end of its last line, and the keys that must accompany it. */
function fileWith(place: Place, value: string, base: string): string {
  const lines = place.map((name, depth) => {
    const indent = '  '.repeat(depth)
    const end = depth === place.length - 1 ? ` ${value}` : ''
    if (name === '-') return `${indent}-${end === '' ? ' ' : end}`
    return `${indent}${name === '*' ? 'x' : name}:${end}`
  })
  const others = base.split('\n').filter((line) => !line.startsWith(`${place[0]}:`))
  return `${others.join('\n')}${lines.join('\n')}`
}

const values = [
  ...[
    '0',
    '1',
    '-1',
    '5',
    '12',
    '123',
    '0.5',
    '1e9',
    '99999',
    '"0"',
    '"1"',
    '"12"',
    'true',
    'false',
    'yes',
    'On',
    '""',
  ],
  ...[
    '0s',
    '0M',
    '1ms',
    '5 min',
    '1d',
    '1h30m',
    '5 secs',
    '400d',
    '9999999h',
    '0b',
    '1 K',
    '512m',
    '512MB',
    '0.001M',
    '536870912',
    '1k',
  ],
  ...[
    'A B',
    'My_App',
    'My.App',
    '1.10',
    'HTTP',
    'sigterm',
    'TERM',
    'kill',
    'Overlay',
    'relace',
    'publick',
    'api',
    'a b/c',
    '/a?b',
    '/a#b c',
  ],
  ...[
    '"https://Shop.Example.com/x"',
    '"*.a.b"',
    'a..b',
    '/a/../b',
    './/x',
    '~/x',
    '~',
    '/a//b',
    'CAP_X',
    'cap_net_raw',
    'net_raw',
    'AF_X',
    'inet',
  ],
  ...[
    'PORT=80 node server.js',
    'A=1 B="2 3" x',
    'A=1',
    '"A=1 x: y"',
    'A=1 a && b',
    'a && b',
    'a $PORT $$x $HOMEE',
    'a ${PRT} ${PORT:-80}',
    '"${X }"',
    '"${x"',
  ],
  ...['haproxi', 'systemed', 'none', '10.0.0.300', '10.0.0.1:99999', '[]', '[a, a]', '[1, 2]', '{}', '{ a: 1 }'],
]

const slips = (name: string): string[] => [
  name.toUpperCase(),
  name.slice(1),
  `${name}s`,
  name.slice(0, -2) + name.slice(-1) + name.slice(-2, -1),
]

/** A port belongs to a tcp route, and so on: the keys without which a place is not accepted. */
const neededBy: Record<string, string> = {
  'routes.-.port': 'listen: tcp\n',
  'environments.*.routes.-.port': 'listen: tcp\nroutes: [{ port: 1 }]\n',
}

const definitionBase = 'service: shop\nrun: ./a\n'
const clusterBase = 'cluster: shop\ncontrollers: [10.0.0.1]\nmachines: { a: { address: 10.0.0.2 } }\n'

describe.each<[string, Parse, JsonSchema, string]>([
  ['tandem.yaml', parseDefinition, definitionShape.schema, definitionBase],
  ['cluster.yaml', parseCluster, clusterShape.schema, clusterBase],
])('every suggestion about %s is accepted', (_, parse, schema, base) => {
  const places = placesIn(schema)
  const replaced = (text: string, { line, column }: Problem, length: number | null, by: string): string => {
    const lines = text.split('\n')
    const before = lines[line - 1] ?? ''
    const rest = length === null ? '' : before.slice(column - 1 + length)
    lines[line - 1] = before.slice(0, column - 1) + by + rest
    return lines.join('\n')
  }

  it('for a value', () => {
    let suggested = 0
    const refused: string[] = []
    for (const place of places) {
      for (const value of values) {
        const text = fileWith(place, value, base + (neededBy[place.join('.')] ?? ''))
        for (const problem of told(parse, text)) {
          const { suggestion, line, column, message } = problem
          if (suggestion === null || /unknown key/.test(message)) continue
          suggested++
          const part = suggestion.startsWith('${')
            ? (/\$\{[^}]*\}|\$\w+|~/.exec(problem.lineText.slice(column - 1))?.[0].length ?? 0)
            : null
          const after = errorsOf(parse, replaced(text, problem, part, suggestion))
          const again = after.find((one) => one.line === line && one.column === column)
          if (again) refused.push(`${place.join('.')}: ${value} -> ${suggestion}: ${again.message}`)
        }
      }
    }
    expect(refused).toEqual([])
    expect(suggested).toBeGreaterThan(40)
  })

  it('for a key', () => {
    let suggested = 0
    const refused: string[] = []
    for (const place of places.filter((one) => one.at(-1) !== '*' && one.at(-1) !== '-')) {
      const name = place.at(-1) ?? ''
      const aliases = ['name', 'command', 'replicas', 'mem', 'hosts', 'drain', 'domain', 'listen', 'timeout']
      for (const wrong of [...slips(name), ...aliases]) {
        for (const beside of [
          base,
          ...(place.length === 1 && !base.includes(`${name}:`) ? [`${base}${name}: x\n`] : []),
        ]) {
          const text = `${beside}${fileWith([...place.slice(0, -1), wrong], '1s', '')}`
          for (const problem of told(parse, text).filter(({ message }) => message.startsWith('unknown key'))) {
            if (problem.suggestion === null) continue
            suggested++
            const after = errorsOf(parse, moved(text, problem, wrong))
            const again = after.find(({ message }) => /unknown key|occurs twice/.test(message))
            if (again) refused.push(`${text}\n${wrong} -> ${problem.suggestion}: ${again.message}`)
          }
        }
      }
    }
    expect(refused).toEqual([])
    expect(suggested).toBeGreaterThan(40)
  })

  /** Renames the key, or, where the suggestion is a path from the root, moves its value there. */
  function moved(text: string, problem: Problem, wrong: string): string {
    const suggestion = problem.suggestion ?? ''
    if (!suggestion.includes('.')) return replaced(text, problem, wrong.length, suggestion)
    const without = text.split('\n').filter((_, index) => index !== problem.line - 1)
    const document = (parseYaml(without.join('\n')) ?? {}) as Record<string, unknown> // a map: the file has keys
    const [outer = '', inner = ''] = suggestion.split('.')
    const held = document[outer]
    if (typeof held === 'object' && held !== null && inner in held) return `${text}\n# ${suggestion} occurs twice`
    document[outer] = { ...(typeof held === 'object' ? held : {}), [inner]: '1s' }
    return stringify(document)
  }
})
