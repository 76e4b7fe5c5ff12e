import { describe, expect, it } from 'vitest'
import type { Definition } from './definition.ts'
import { definitionSchema } from './definitionSchema.ts'
import { parseDefinition } from './parseDefinition.ts'

const { definition } = parseDefinition(
  'service: shop\nrun: ./server\nroutes: [{ host: a.b }]\nenvironments: { s: { env: { A: x }, limits: { cpu: 1 } } }',
  'f',
)
const tcp = parseDefinition('service: shop\nrun: ./server\nlisten: tcp\nroutes: [{ port: 1 }]', 'f').definition
const local = parseDefinition('service: shop\nrun: ./a\nroutes: [{ port: 1, expose: local }]', 'f').definition

describe('definitionSchema', () => {
  it.each([definition, tcp, local])('accepts the output of parseDefinition, from JSON', (definition) => {
    expect(definitionSchema.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition)
  })

  const changes: Record<string, (changed: Record<string, unknown>) => void> = {
    'an unknown key': (changed) => (changed['extra'] = 1),
    'a missing key': (changed) => delete changed['stop'],
    'an unknown key below': (changed) => (changed['health'] = { ...definition.health, extra: 1 }),
    'a wrong service': (changed) => (changed['service'] = '../x'),
    'an empty run': (changed) => (changed['run'] = []),
    'a NUL': (changed) => (changed['run'] = ['a\0b']),
    'an output outside': (changed) => (changed['build'] = { ...definition.build, output: '../x' }),
    'too many instances': (changed) => (changed['instances'] = 101),
    'an invalid duration': (changed) => (changed['rollout'] = { strategy: 'overlap', drainMs: 1.5 }),
    'an endless duration': (changed) => (changed['idleMs'] = Number.MAX_SAFE_INTEGER),
    'a reserved variable': (changed) => (changed['env'] = { TANDEM_DATA: '/' }),
    'a hidden variable': (changed) => (changed['env'] = JSON.parse('{"__proto__":"x"}') as unknown),
    'a list as env': (changed) => (changed['env'] = ['A']),
    'tcp routes on http': (changed) => (changed['routes'] = [{ port: 1 }]),
    'a public port on http': (changed) => (changed['routes'] = [{ port: 1, expose: 'public' }]),
    'an unknown key of a route': (changed) => (changed['routes'] = [{ port: 1, expose: 'local', to: 'a' }]),
    'a route twice': (changed) => (changed['routes'] = [...(definition.routes ?? []), ...(definition.routes ?? [])]),
    'a host in upper case': (changed) => (changed['routes'] = [{ host: 'A.b', path: '/' }]),
    'a path with a slash at its end': (changed) => (changed['routes'] = [{ host: null, path: '/a/' }]),
    'tcp without routes': (changed) => Object.assign(changed, { listen: 'tcp', routes: null }),
    'an overlay with a forbidden key': (changed) => (changed['environments'] = { s: { listen: 'tcp' } }),
    'a wrong route in an overlay': (changed) => (changed['environments'] = { s: { routes: [{ port: 1 }] } }),
  }
  it.each(Object.entries(changes))('refuses %s', (_, change) => {
    const changed = structuredClone<Definition>(definition) as unknown as Record<string, unknown> // to be broken
    change(changed)
    expect(definitionSchema.safeParse(changed).success).toBe(false)
  })
})
