import { expect, it } from 'vitest'
import { commandOf, filterIn, kindQuery, positionIn, queryOf } from './filter.ts'

it('reads a filter from the address, and asks and commands the same', () => {
  const filter = filterIn(new URLSearchParams('service=shop&by=machine+a&type=&at=12&other=1'))
  expect(filter).toEqual({ service: 'shop', by: 'machine a', kind: 'changes' })
  expect(queryOf(filter)).toEqual({ service: 'shop', by: 'machine a', changes: 'true' })
  expect(commandOf(filter)).toBe("tandem events --changes --service shop --by 'machine a' --last 50")
  expect(commandOf(filterIn(new URLSearchParams('all=1')))).toBe('tandem events --last 50')
  expect(queryOf(filterIn(new URLSearchParams('all=1&rollout=r1')))).toEqual({ rollout: 'r1' })
  const failures = filterIn(new URLSearchParams('failures=1&service=shop'))
  expect(queryOf(failures)).toEqual({ service: 'shop', failures: 'true' })
  expect(commandOf(failures)).toBe('tandem events --failures --service shop --last 50')
  expect(kindQuery('people')).toEqual({ changes: null, people: '1', failures: null, all: null })
})

it('quotes whatever an address names, so that a shell runs none of it', () => {
  const filter = filterIn(new URLSearchParams({ by: "$(id)'; rm", all: '' }))
  expect(commandOf(filter)).toBe(String.raw`tandem events --by '$(id)'\''; rm' --last 50`)
})

it('reads the position of the opened event, and nothing that is none', () => {
  const read = ['12', '', '-1', '1.5', 'x', '1e99'].map((at) => positionIn(new URLSearchParams({ at })))
  expect(read).toEqual([12, null, null, null, null, null])
})
