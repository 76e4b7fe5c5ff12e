import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { differenceOf } from '../../src/protocol/difference.ts'
import { readDifference } from '../../src/protocol/readDifference.ts'
import { following, WrongBase, type Difference } from './difference.ts'

const schema = z.object({
  list: z.array(z.object({ id: z.int(), text: z.string() })),
  record: z.record(z.string(), z.int()),
  plain: z.unknown(),
  maybe: z.string().optional(),
})
type Model = z.infer<typeof schema>

function change(model: Model, random: () => number): Model {
  const below = (most: number): number => Math.floor(random() * most)
  const list = model.list.filter(() => random() > 0.2)
  for (let more = below(3); more > 0; more--) list.splice(below(list.length + 1), 0, { id: below(9), text: 'new' })
  const record = Object.fromEntries(Object.entries(model.record).filter(() => random() > 0.2))
  record[`r${below(5)}`] = below(100)
  return { list, record, plain: random() > 0.5 ? below(5) : model.plain, ...(random() > 0.5 ? { maybe: 'x' } : {}) }
}

describe('a model after a difference', () => {
  const { seed, count } = randomRun('pageDifference', { check: 400, soak: 20_000 })
  const random = seededRandom(seed)
  it(`is the one that the controller has, ${count} times, and shares what did not change`, () => {
    let [theirs, ours]: [Model, Model] = [
      { list: [], record: {}, plain: null },
      { list: [], record: {}, plain: null },
    ]
    for (let time = 0; time < count; time++) {
      const next = change(theirs, random)
      const sent = JSON.parse(JSON.stringify(differenceOf(theirs, next))) as Difference
      const before = ours
      ours = following(ours, sent)
      expect(ours).toEqual(next)
      expect(ours).toEqual(readDifference(schema, theirs, sent as Parameters<typeof readDifference>[2]))
      if (!('list' in sent.lists) && !('list' in sent.set)) expect(ours.list).toBe(before.list)
      theirs = next
    }
  })

  it('is refused when the difference builds upon another model', () => {
    const none = { set: {}, lists: {}, records: {}, gone: [] }
    expect(() => following({ list: [1] }, { ...none, lists: { list: [[0, 2]] } })).toThrow(WrongBase)
    expect(() => following({}, { ...none, lists: { list: [] } })).toThrow(WrongBase)
    expect(() => following({ record: null }, { ...none, records: { record: { set: {}, gone: [] } } })).toThrow(
      WrongBase,
    )
  })
})
