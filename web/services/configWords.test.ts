import { expect, it } from 'vitest'
import { changesOf, differences } from './configWords.ts'

const version = (number: number, values: Record<string, string>) => ({
  ...{ version: number, values, at: '2026-11-30T09:00:00.000Z', by: null, reason: null, of: null },
})

it('differences are a line for each value', () => {
  expect(differences({ A: '1', B: '2' }, { B: '3', C: '' })).toEqual([
    'A: "1" → not set',
    'B: "2" → "3"',
    'C: not set → ""',
  ])
  expect(changesOf([version(2, { A: '2' }), version(1, { A: '1' })])).toEqual([['A: "1" → "2"'], ['A: not set → "1"']])
})
