import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseDefinition } from '../definitions/parseDefinition.ts'
import { manifestDefinition } from './manifestDefinition.ts'

const example = readFileSync(new URL('../../docs/tandem.example.yaml', import.meta.url), 'utf8')

it('a release keeps every key that can be written: the example has them all', () => {
  const { definition } = parseDefinition(example, 'tandem.example.yaml')
  expect(definition.jail).toBeDefined()
  expect(definition.notify).toBeDefined()
  expect(manifestDefinition.parse(definition)).toEqual(definition)
})

it('a relaxation of the jail that it does not know is refused, never passed over', () => {
  const { definition } = parseDefinition('service: shop\nrun: ./server\n', 'tandem.yaml')
  expect(manifestDefinition.safeParse({ ...definition, jail: { unknown: true } }).success).toBe(false)
})
