import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clusterShape } from './clusterShape.ts'
import { definitionShape } from './definitionShape.ts'
import { jsonSchemas } from './jsonSchema.ts'
import { parseCluster } from './parseCluster.ts'
import { parseDefinition } from './parseDefinition.ts'
import type { JsonSchema } from './shapes/shape.ts'

const docs = new URL('../../docs/', import.meta.url)
const example = readFileSync(new URL('tandem.example.yaml', docs), 'utf8')
const reference = readFileSync(new URL('definition.md', docs), 'utf8')
const minimal = 'service: shop\nrun: ./server\n'

interface Found {
  path: string
  name: string
  schema: JsonSchema
}

/** Every key of a schema by its path. */
function keysOf({ properties, items, additionalProperties }: JsonSchema, prefix = ''): Found[] {
  const below = items ?? (typeof additionalProperties === 'object' ? additionalProperties : null)
  return [
    ...Object.entries(properties ?? {}).flatMap(([name, schema]) => [
      { path: prefix + name, name, schema },
      ...keysOf(schema, `${prefix}${name}.`),
    ]),
    ...(below ? keysOf(below, prefix) : []),
  ]
}

const keys = keysOf(definitionShape.schema)
const escape = (text: string): string => text.replaceAll(/[^\w]/g, '\\$&')
const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

describe('docs/tandem.example.yaml', () => {
  it('is valid, with one warning only, because it shows every key', () => {
    const { warnings } = parseDefinition(example, 'tandem.example.yaml')
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('has no effect with `listen: http`'),
    ])
  })

  it('holds every key of the schema', () => {
    expect(keys.filter(({ name }) => !new RegExp(`\\b${name}:`).test(example)).map(({ path }) => path)).toEqual([])
    const live = example.replaceAll(/^#.*$/gm, '')
    expect(keys.filter(({ name }) => !new RegExp(`\\b${name}:`).test(live)).map(({ path }) => path)).toEqual([])
  })

  it('shows every default beside its key, and uses it', () => {
    const defaults = keys.filter(({ schema }) => schema.default !== undefined)
    expect(defaults.length).toBeGreaterThan(10)
    for (const { path, name, schema } of defaults) {
      const line = new RegExp(`^ *${name}:.*# default: ${escape(written(schema.default))}(?:\\.? |$)`, 'm')
      expect(example, path).toMatch(line)
    }
    const { health, ...others } = parseDefinition(example, 'f').definition
    // These have no default in one value: the host comes from a route, the others are not stored.
    const { host: _, status: __, header: ___, delayMs: ____, ...asked } = health
    const shown = { ...others, health: asked }
    const base = parseDefinition(minimal, 'f').definition
    for (const key of ['listen', 'health', 'instances', 'rollout', 'stop'] as const)
      expect(shown[key]).toEqual(base[key])
  })

  it('shows `default: none` where leaving a key out means exactly that', () => {
    const none = [...example.matchAll(/^ *(\w+):.*# default: none/gm)].map(([, name]) => name)
    expect(new Set(none)).toEqual(
      new Set(
        'addressFamilies body capabilities check command commands config cpu default delay devices files header idle memory output owner packages prepare requires routes runbook scratch secrets systemCalls tasks test uses watchdog what write'.split(
          ' ',
        ),
      ),
    )
  })
})

describe('defaults', () => {
  it('are read as written', () => {
    const lines = keys
      .filter(({ schema, path }) => schema.default !== undefined && !path.startsWith('environments.'))
      .map(({ path, schema }) => {
        const names = path.split('.')
        return {
          group: names.length === 2 ? names[0] : null,
          name: names.at(-1),
          value: JSON.stringify(schema.default),
        }
      })
    const groups = Map.groupBy(lines, ({ group }) => group)
    const text = [...groups].map(([group, entries]) => {
      const body = entries.map(({ name, value }) => `${name}: ${value}`)
      return group === null ? body.join('\n') : `${group}: { ${body.join(', ')} }`
    })
    expect(parseDefinition(minimal + text.join('\n'), 'f').definition).toEqual(parseDefinition(minimal, 'f').definition)
  })

  it('are read as written in a cluster file', () => {
    const needed = 'cluster: c\ncontrollers: [h]\nmachines: { a: { address: a } }\n'
    const spelled =
      'entry: { http: 80, https: 443, trustedProxies: [] }\naddresses: []\nadvert: 100ms\ndrivers: { supervisor: systemd, balancer: haproxy, address: keepalived }'
    expect(parseCluster(needed + spelled, 'f').cluster).toEqual(parseCluster(needed, 'f').cluster)
    const defaults = keysOf(clusterShape.schema).filter(({ schema }) => schema.default !== undefined)
    for (const { name, schema } of defaults) expect(spelled).toContain(`${name}: ${written(schema.default)}`)
  })
})

describe('docs/definition.md', () => {
  it('has every key and default of both files', () => {
    for (const { path, schema } of [...keys, ...keysOf(clusterShape.schema)]) {
      // Keys that an overlay or a machine repeats are described once.
      if (/^(environments|machines)\./.test(path)) continue
      const shown = path.replace(/^config\./, 'config.NAME.').replace(/^files\./, 'files.PATH.')
      const row = reference.split('\n').find((line) => line.startsWith(`| \`${shown}\` |`))
      expect(row, path).toBeDefined()
      if (schema.default !== undefined) expect(row, path).toContain(`\`${written(schema.default)}\``)
    }
  })
})

describe('docs/schema', () => {
  it.each(Object.entries(jsonSchemas))(
    '%s matches the validator (to update it: vitest run -u)',
    async (name, schema) => {
      await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(`../../docs/schema/${name}`)
    },
  )
})
