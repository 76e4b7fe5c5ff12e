import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseDefinition } from '../definitions/parseDefinition.ts'
import { manifestDefinition } from './manifestDefinition.ts'

const example = readFileSync(new URL('../../docs/tandem.example.yaml', import.meta.url), 'utf8')

it('a release keeps every key of a definition: the example contains all keys', () => {
  const { definition } = parseDefinition(example, 'tandem.example.yaml')
  expect(definition.jail).toBeDefined()
  expect(definition.notify).toBeDefined()
  expect(manifestDefinition.parse(definition)).toEqual(definition)
})

it('an unknown relaxation of the jail is refused, never ignored', () => {
  const { definition } = parseDefinition('service: shop\nrun: ./server\n', 'tandem.yaml')
  expect(manifestDefinition.safeParse({ ...definition, jail: { unknown: true } }).success).toBe(false)
})
