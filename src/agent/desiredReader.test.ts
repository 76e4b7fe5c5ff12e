import { expect, it } from 'vitest'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { desiredChange } from '../protocol/desiredChange.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import { BaseMismatch } from '../lib/following.ts'
import { DesiredReader } from './desiredReader.ts'
import { aDesiredState, anInstance } from './testing/given.ts'

const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
const at = (position: number, over: Partial<DesiredState> = {}): DesiredState =>
  aDesiredState({ definitions: { [one]: aDefinition() }, position, ...over })

const states = [
  at(1),
  at(2, { instances: [anInstance({ id: 'x' }), anInstance({ id: 'y' })], fetch: [one] }),
  at(3, {
    definitions: { [one]: aDefinition(), [two]: aDefinition({ env: { B: '2' } }) },
    instances: [anInstance({ id: 'x', traffic: 'idle' }), anInstance({ id: 'y' }), anInstance({ id: 'z' })],
  }),
  at(4, { definitions: { [two]: aDefinition({ env: { B: '2' } }) }, instances: [anInstance({ id: 'z' })] }),
  at(5, { definitions: {}, term: 2, drained: true }),
]
const changes = states
  .slice(1)
  .map((now, index) => JSON.stringify(desiredChange(states[index] ?? expect.fail('one before each'), now)))

it('reads a stream of changes as the whole states, and keeps all parts that did not change', () => {
  const reader = new DesiredReader()
  const read = [reader.whole(JSON.stringify(states[0])), ...changes.map((change) => reader.change(change))]
  expect(read).toEqual(states)
  expect(read[2]?.definitions[one]).toBe(read[1]?.definitions[one])
  expect(read[2]?.instances[1]).toBe(read[1]?.instances[1])
  expect(read[3]?.instances[0]).not.toBe(read[2]?.instances[0])
})

it('refuses a change when the message before was lost, when it came twice, and at the begin of a stream', () => {
  const [first, second] = changes
  const reader = new DesiredReader()
  expect(() => reader.change(first ?? '')).toThrow(BaseMismatch)
  reader.whole(JSON.stringify(states[0]))
  expect(() => reader.change(second ?? '')).toThrow('a change follows the desired state at 2, not 1')
  expect(reader.change(first ?? '')).toEqual(states[1])
  expect(() => reader.change(first ?? '')).toThrow(BaseMismatch)
})

it.each([
  ['a definition with an unknown key', { records: { definitions: { set: { [two]: { news: 1 } }, gone: [] } } }],
  ['a definition under a name that is no release id', { records: { definitions: { set: { x: {} }, gone: [] } } }],
  ['a value of another type', { set: { drained: 7 } }],
  ['an item of another type', { lists: { instances: [{ item: 7 }] } }],
  ['an object with fixed keys that lacks one', { records: { addresses: { set: {}, gone: ['yields'] } } }],
  ['items that the list does not have', { lists: { instances: [[0, 3]] } }],
  [
    'an item twice',
    {
      lists: {
        instances: [
          [0, 1],
          [0, 2],
        ],
      },
    },
  ],
  ['a run backwards', { lists: { instances: [[2, 1]] } }],
  ['a list that is none', { lists: { drained: [] } }],
])('refuses %s', (_, wrong) => {
  const reader = new DesiredReader()
  reader.whole(JSON.stringify(states[1]))
  const change = { after: 2, set: { position: 3 }, lists: {}, records: {}, gone: [], ...wrong }
  expect(() => reader.change(JSON.stringify(change))).toThrow(Error)
  expect(reader.change(changes[1] ?? '')).toEqual(states[2])
})

it('ignores changes of slices that only a newer controller knows', () => {
  const reader = new DesiredReader()
  const newer = (state: DesiredState, more: object): DesiredState => ({ ...state, ...more })
  const [before, after] = [
    newer(at(1), { news: [1], more: { a: 1 }, other: 1 }),
    newer(at(2), { news: [1, 2], more: { b: 1 }, other: 2 }),
  ]
  reader.whole(JSON.stringify(before))
  expect(reader.change(JSON.stringify(desiredChange(before, after)))).toEqual(at(2))
})
