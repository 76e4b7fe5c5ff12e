import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { operations } from './contract.ts'
import { knowsDryRun } from './knowsDryRun.ts'
import type { Operation } from './operation.ts'

const document: unknown = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))
const all: Operation[] = Object.values(operations)

it('finds in the document of this version exactly the calls that have a dry run', () => {
  const known = all.filter((operation) => knowsDryRun(document, operation))
  expect(known).toEqual(all.filter(({ dryRun }) => dryRun === true))
  expect(known.length).toBeGreaterThan(5)
})

it.each([
  ['has no such call', { paths: {} }],
  [
    'has the call without the parameter',
    { paths: { '/api/v1/machines/{machine}/drain': { post: { parameters: [] } } } },
  ],
  ['has the call without parameters', { paths: { '/api/v1/machines/{machine}/drain': { post: {} } } }],
  ['is something else', 'hello'],
])('finds none in a document that %s', (_, other) => {
  expect(all.some((operation) => knowsDryRun(other, operation))).toBe(false)
})
