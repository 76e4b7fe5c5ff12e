import { expect, it } from 'vitest'
import { z } from 'zod'
import { randomRun } from '../lib/testing/randomRun.ts'
import { seededRandom } from '../lib/testing/seededRandom.ts'
import { differenceOf, differenceSchema, type Values } from './difference.ts'
import { readDifference } from './readDifference.ts'

const schema = z.object({
  words: z.array(z.string()),
  things: z.array(z.object({ name: z.string(), size: z.number().default(1) })),
  byName: z.record(z.string(), z.object({ size: z.number() })).default({}),
  fixed: z.object({ on: z.boolean(), list: z.array(z.number()) }).nullable(),
  count: z.number(),
  maybe: z.string().optional(),
  usual: z.number().default(7),
})
type Message = z.output<typeof schema>

const read = (before: Message, now: Message): Message =>
  readDifference(schema, before, differenceSchema.parse(JSON.parse(JSON.stringify(differenceOf(before, now)))))

const { seed, count } = randomRun('differences', { check: 300, soak: 20_000 })

it(`builds any message from any other and their difference (${count} pairs, TANDEM_SEED=${seed})`, () => {
  const random = seededRandom(seed)
  const below = (most: number): number => Math.floor(random() * most)
  const many = <T>(make: () => T): T[] => Array.from({ length: below(6) }, make)
  const message = (): Message => ({
    words: many(() => `w${below(4)}`),
    things: many(() => ({ name: `t${below(4)}`, size: below(2) })),
    byName: Object.fromEntries(many(() => [['a', 'b', 'c', 'constructor'][below(4)] ?? '', { size: below(2) }])),
    fixed: below(3) === 0 ? null : { on: below(2) === 0, list: many(() => below(3)) },
    count: below(3),
    usual: below(2) === 0 ? 7 : 8,
    ...[{}, { maybe: undefined }, { maybe: 'x' }, { maybe: 'y' }][below(4)],
  })
  let before = message()
  for (let pair = 0; pair < count; pair++) {
    const now = message()
    expect(read(before, now)).toEqual(now)
    before = now
  }
})

it('is small where little changed, wherever in a long list that is', () => {
  const things = Array.from({ length: 200 }, (_, index) => ({ name: `t${index}`, size: 0 }))
  const before: Values = { things, count: 1 }
  const now = { things: things.with(100, { name: 'new', size: 0 }), count: 1 }
  expect(differenceOf(before, now)).toEqual({
    set: {},
    lists: { things: [[0, 100], { item: { name: 'new', size: 0 } }, [101, 200]] },
    records: {},
    gone: [],
  })
  expect(differenceOf(before, { things: things.map((one) => ({ ...one })), count: 1 })).toEqual({
    ...{ set: {}, lists: {}, records: {}, gone: [] },
  })
})

it('gives a key that a message leaves out the value that the whole message would have', () => {
  const open = { fixed: null, count: 1, usual: 8, words: [], things: [], byName: {}, maybe: 'x' }
  const { maybe: _1, usual: _2, ...left } = open
  expect(read(open, left as unknown as Message)).toEqual({ ...left, usual: 7 })
  const { count: _3, ...none } = open
  expect(() => read(open, none as unknown as Message)).toThrow(z.ZodError)
})
