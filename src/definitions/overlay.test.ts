import { describe, expect, it } from 'vitest'
import { forCluster } from './overlay.ts'
import { parseDefinition } from './parseDefinition.ts'

const { definition } = parseDefinition(
  `
service: shop
run: ./server
env: { A: "1", B: "2" }
machines: [a, b]
instances: 2
limits: { memory: 1G, tasks: 50 }
environments:
  staging: { env: { B: "3", C: "4" }, machines: [a], limits: { memory: 512M }, routes: [{ host: s.example.com }] }
`,
  'f',
)

describe('forCluster', () => {
  it('merges env and limits, and replaces the rest', () => {
    expect(forCluster(definition, 'staging')).toEqual({
      ...definition,
      env: { A: '1', B: '3', C: '4' },
      limits: { memoryBytes: 512 * 1024 * 1024, cpu: null, tasks: 50, bodyBytes: null },
      machines: ['a'],
      routes: [{ host: 's.example.com', path: '/' }],
      instances: 2,
      environments: {},
    })
  })

  it.each(['production', 'constructor', '__proto__', 'toString'])('leaves the rest unchanged in %s', (cluster) => {
    expect(forCluster(definition, cluster)).toEqual({ ...definition, environments: {} })
  })
})
