import { describe, expect, it } from 'vitest'
import type { TermRecord } from '../protocol/desiredState.ts'
import { acceptDesired } from './acceptDesired.ts'
import { aDesiredState } from './testing/given.ts'

const term = (number: number, start: number, over: Partial<TermRecord> = {}): TermRecord => ({
  ...{ term: number, id: `t${number}`, start, recovered: false },
  ...over,
})
const terms = [term(1, 1), term(2, 50), term(3, 90)]
const seen = { term: 2, termId: 't2', position: 70 }
const desired = (over: Partial<ReturnType<typeof aDesiredState>>): ReturnType<typeof aDesiredState> =>
  aDesiredState({ term: 3, terms, position: 95, ...over })

describe('a machine obeys', () => {
  it('any state at first', () => {
    expect(acceptDesired(null, desired({ position: 1 }))).toEqual({ accepted: true })
  })
  it('the same position again, and later positions of the same term', () => {
    for (const position of [70, 71, 89]) {
      expect(acceptDesired(seen, desired({ term: 2, terms: terms.slice(0, 2), position }))).toEqual({ accepted: true })
    }
  })
  it('a later term whose log holds everything the machine has seen', () => {
    expect(acceptDesired(seen, desired({}))).toEqual({ accepted: true })
  })
  it('a recovered term above its own, although the log does not contain its term', () => {
    const recovered = [term(1, 1), term(4, 200, { recovered: true })]
    expect(acceptDesired(seen, desired({ term: 4, terms: recovered, position: 200 }))).toEqual({ accepted: true })
    const later = [...recovered, term(5, 210)]
    expect(acceptDesired(seen, desired({ term: 5, terms: later, position: 210 }))).toEqual({ accepted: true })
  })
})

describe('a machine refuses', () => {
  const refusal = (over: Parameters<typeof desired>[0]): string => {
    const answer = acceptDesired(seen, desired(over))
    return answer.accepted ? 'accepted' : answer.message
  }
  it('an older term', () => {
    expect(refusal({ term: 1, terms: terms.slice(0, 1) })).toContain('term 1 is older than term 2')
  })
  it('an older position of its term', () => {
    expect(refusal({ term: 2, terms: terms.slice(0, 2), position: 69 })).toContain(
      'lacks events that this machine has seen',
    )
  })
  it('a log restored from a backup older than the last state, under a newer term', () => {
    expect(refusal({ terms: [term(1, 1), term(2, 50), term(3, 60)], position: 99 })).toContain('restored from a backup')
  })
  it('a term with the same number and another id: a fork', () => {
    expect(refusal({ terms: [term(1, 1), term(2, 50, { id: 'other' }), term(3, 90)] })).toContain('another cluster')
  })
  it('a log that never contained its term', () => {
    expect(refusal({ terms: [term(1, 1), term(3, 90)] })).toContain('does not contain term 2')
  })
  it('a recovery that it has already obeyed', () => {
    const after = { term: 4, termId: 't4', position: 220 }
    const answer = acceptDesired(after, desired({ term: 4, terms: [term(4, 200, { recovered: true })], position: 219 }))
    expect(answer.accepted).toBe(false)
  })
})
