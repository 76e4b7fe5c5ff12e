import { expect, it } from 'vitest'
import type { Status } from '../api/views.ts'
import { recentMoves } from './recentMoves.ts'

const since = '2026-11-29T13:28:27.000Z'
const moved: Status['addresses'][number] = {
  ...{
    address: '10.0.0.50',
    holder: 'b',
    from: 'a',
    since,
    why: 'a: HAProxy does not run',
    refused: [],
    goesBack: null,
  },
}

it.each<[string, Partial<typeof moved>, string, string[]]>([
  [
    'a move of a minute ago',
    {},
    '2026-11-29T13:29:27.000Z',
    ['10.0.0.50 moved from a to b; a reported: HAProxy does not run'],
  ],
  ['a planned one', { why: 'a restarts' }, '2026-11-29T13:29:27.000Z', ['10.0.0.50 moved from a to b; a restarts']],
  ['a move of long ago', {}, '2026-11-29T13:38:28.000Z', []],
  ['an address that stayed', { from: null }, '2026-11-29T13:29:27.000Z', []],
  ['an address that nobody holds', { holder: null }, '2026-11-29T13:29:27.000Z', []],
])('%s', (_, over, now, texts) => {
  const found = recentMoves({ addresses: [{ ...moved, ...over }] }, now)
  expect(found.map(({ text, tone, machine }) => [text, tone, machine])).toEqual(
    texts.map((text) => [text, 'warn', 'a']),
  )
})
