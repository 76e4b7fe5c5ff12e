import { expect, it } from 'vitest'
import { parseDefinition } from './parseDefinition.ts'
import { writtenKeys } from './writtenKeys.ts'

const keysOf = (text: string) =>
  new Map(writtenKeys(parseDefinition(text, 'tandem.yaml').definition).map((one) => [one.key, one]))

it('marks what equals a default, and writes values as people do', () => {
  const keys = keysOf(
    [
      'service: shop',
      'run: ["./bin/server", "--port", "${PORT}"]',
      'health: { path: /ready, every: 100ms, within: 90s }',
      'routes: [{ host: shop.example.com, path: / }]',
      'rollout: { drain: 2m }',
      'env: { LOG_LEVEL: debug, NOTE: "a: b" }',
      'limits: { memory: 512M, cpu: 1.5 }',
    ].join('\n'),
  )
  const own = [...keys.values()].filter(({ isDefault }) => !isDefault).map(({ key, value }) => `${key}: ${value}`)
  expect(own.toSorted()).toEqual([
    'env.LOG_LEVEL: debug',
    'env.NOTE: "a: b"',
    'health.path: /ready',
    'health.within: 90s',
    'limits.cpu: 1.5',
    'limits.memory: 512M',
    'rollout.drain: 2m',
    'routes: [{ host: shop.example.com, path: / }]',
    'run: [./bin/server, --port, "${PORT}"]',
    'service: shop',
  ])
  expect(keys.get('health.every')).toEqual({ key: 'health.every', value: '100ms', isDefault: true })
  expect(keys.get('stop.within')).toEqual({ key: 'stop.within', value: '10s', isDefault: true })
  expect(keys.get('limits.tasks')).toEqual({ key: 'limits.tasks', value: 'not set', isDefault: true })
})

it('marks all but what is required of the shortest definition', () => {
  const own = [...keysOf('service: shop\nrun: ./server').values()].filter(({ isDefault }) => !isDefault)
  expect(own.map(({ key }) => key)).toEqual(['service', 'run'])
})
