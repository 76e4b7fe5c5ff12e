import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defects } from './defects.ts'

test('each seeded defect can still be brought into its file', () => {
  const lost = defects.filter(({ file, from }) => {
    const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
    return text.split(from).length !== 2
  })
  expect(lost.map(({ name }) => name)).toEqual([])
})
