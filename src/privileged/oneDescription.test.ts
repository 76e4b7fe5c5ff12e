import { describe, expect, it } from 'vitest'
import type { Limits } from '../definitions/definition.ts'
import { definitionKeys, definitionShape, limitKeys, type DefinitionShape } from '../definitions/definitionShape.ts'
import { definitionSchema, definitionSchemaOf, jailSchema } from '../definitions/definitionSchema.ts'
import { schemaOf } from '../definitions/keptSchema.ts'
import { clusterKeys, type ClusterShape } from '../definitions/clusterShape.ts'
import { clusterSchemaOf } from '../definitions/clusterSchema.ts'
import { parseCluster } from '../definitions/parseCluster.ts'
import { parseDefinition } from '../definitions/parseDefinition.ts'
import { as, group, nested, omitted, optional } from '../definitions/shapes/group.ts'
import { duration } from '../definitions/shapes/duration.ts'
import { number } from '../definitions/shapes/number.ts'
import { readVersion } from '../lib/version.ts'
import { encodeManifest, parseManifest } from '../releases/manifest.ts'
import { instanceShape, instanceShapeOf } from './instanceShape.ts'
import type { z } from 'zod'

/*
 * A definition key is described in one place. This test describes two keys that do not exist, one at the top and one of the
 * limits, and finds them everywhere a definition passes; and one key of a cluster file.
 */

const pause = as('pauseMs', omitted(optional(duration(10), 'How long it pauses.')))
const threads = omitted(
  optional(number({ whole: true, least: 1, most: 64, what: 'threads' }), 'Threads of one instance.'),
)
const limits = group('`limits`', { ...limitKeys, threads })
const shape = group('the definition', {
  ...definitionKeys,
  limits: nested(limits, 'Limits.'),
  pause,
}) as unknown as DefinitionShape // with two keys more

const written = 'service: shop\nrun: ./server\npause: 2s\nlimits: { threads: 4 }\n'
const { definition } = parseDefinition(written, 'tandem.yaml', shape)
const stored = JSON.parse(JSON.stringify(definition)) as unknown
const instance = {
  ...{ id: 'shop-1', service: 'shop', release: 'a'.repeat(64), argv: ['/bin/true'], env: {} },
  ...{ limits: definition.limits, stop: definition.stop },
}

describe('a key that is described once', () => {
  it('is read, stored under its name with the unit, and left out where it is not written', () => {
    expect(definition).toMatchObject({ pauseMs: 2_000, limits: { threads: 4, memoryBytes: null } })
    const without = parseDefinition('service: shop\nrun: ./server\n', 'tandem.yaml', shape)
    expect(without.definition).toEqual(parseDefinition('service: shop\nrun: ./server\n', 'tandem.yaml').definition)
  })

  it('is checked, with a message that names it', () => {
    expect(() => parseDefinition(written.replace('2s', '2'), 'tandem.yaml', shape)).toThrow('"2" is not a duration')
    expect(() => parseDefinition(written.replace('threads', 'thraeds'), 'tandem.yaml', shape)).toThrow(
      'unknown key `thraeds` in `limits`',
    )
  })

  it('is in the JSON Schema', () => {
    expect(shape.schema.properties?.['pause']).toMatchObject({ type: 'string', description: 'How long it pauses.' })
    expect(shape.schema.properties?.['limits']?.properties?.['threads']).toMatchObject({ type: 'integer', maximum: 64 })
  })

  it('is kept by the manifest of a release, by the log and on the wire', () => {
    const schema = definitionSchemaOf(shape)
    expect(parseManifest(encodeManifest(definition, 'b'.repeat(64)), schema).definition).toEqual(definition)
    expect(schema.parse(stored)).toEqual(definition)
    expect(schema.safeParse({ ...definition, pauseMs: 1 }).success).toBe(false)
  })

  it('is accepted by the privileged helper', () => {
    const accepts = instanceShapeOf(schemaOf(limits.kept) as z.ZodType<Limits>, jailSchema)
    expect(accepts.parse(instance).limits).toEqual(definition.limits)
  })
})

describe('a key of the cluster file that is described once', () => {
  const calm = as(
    'calmness',
    omitted(optional(number({ whole: true, least: 1, most: 64, what: 'calm' }), 'How calm the cluster is.')),
  )
  const withCalm = group('the cluster', { ...clusterKeys, calm }) as unknown as ClusterShape // with one key more
  const text = 'cluster: shop\ncontrollers: [10.0.0.1]\nmachines: { a: { address: 10.0.0.2 } }\ncalm: 4\n'

  it('is read, stored under its name, and left out where it is not written', () => {
    expect(parseCluster(text, 'cluster.yaml', withCalm).cluster).toMatchObject({ calmness: 4 })
    expect(() => parseCluster(text.replace('4', '400'), 'cluster.yaml', withCalm)).toThrow('calm')
    const without = text.replace('calm: 4\n', '')
    expect(parseCluster(without, 'cluster.yaml', withCalm)).toEqual(parseCluster(without, 'cluster.yaml'))
  })

  it('is in the JSON Schema, and kept by the log and on the wire', () => {
    expect(withCalm.schema.properties?.['calm']).toMatchObject({ type: 'integer', maximum: 64 })
    const { cluster } = parseCluster(text, 'cluster.yaml', withCalm)
    expect(clusterSchemaOf(withCalm).parse(JSON.parse(JSON.stringify(cluster)))).toEqual(cluster)
  })

  it('is refused in a file by a version that does not know it', () => {
    expect(() => parseCluster(text, 'cluster.yaml')).toThrow('unknown key `calm`')
  })
})

describe('a version that does not know the key', () => {
  const unknown = `Tandem ${readVersion()} does not know the key`

  it('refuses the release, and names the key and its version', () => {
    expect(() => parseDefinition(written, 'tandem.yaml')).toThrow('unknown key `pause`')
    const manifest = encodeManifest(definition, 'b'.repeat(64))
    expect(() => parseManifest(manifest)).toThrow(`${unknown} threads`)
    expect(() => parseManifest(manifest)).toThrow(`${unknown} pauseMs`)
    expect(() => definitionSchema.parse(stored)).toThrow(`${unknown} pauseMs`)
    expect(() => instanceShape.parse(instance)).toThrow(`${unknown} threads`)
  })

  it('has no key twice', () => {
    const names = Object.keys(definitionShape.kept.keys)
    expect(names).toHaveLength(Object.keys(definitionKeys).length)
  })
})
