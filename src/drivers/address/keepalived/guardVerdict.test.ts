import { describe, expect, it } from 'vitest'
import type { Word } from './guardFiles.ts'
import { GuardVerdict, type Look, type Verdict } from './guardVerdict.ts'

const one = '10.0.0.50'
const two = '10.0.0.51'

function judged(...looks: Partial<Look>[]): Verdict {
  const guard = new GuardVerdict()
  let last: Verdict | null = null
  for (const look of looks) last = guard.judge([one, two], aLook(look))
  if (!last) throw new Error('no look was given')
  return last
}

const aLook = (over: Partial<Look>): Look => ({
  ...{ at: 10_000, held: [], haproxy: 'well', reachesAny: true, keepalived: 'runs', word: null },
  ...over,
})

const aWord = (over: Partial<Word>): Word => ({
  ...{ heardAt: 10_000, eligible: true, yields: [], refused: [], othersServe: true },
  ...over,
})

const both = (why: string): [string, string][] => [
  [one, why],
  [two, why],
]

describe('the guard', () => {
  it('lets a machine that serves hold its addresses', () => {
    expect(judged({}).withheld).toEqual(new Map())
  })

  it('withholds all addresses at once if HAProxy is gone or silent, until it has been healthy for a second', () => {
    expect([...judged({ haproxy: 'gone' }).withheld]).toEqual(both('HAProxy does not run'))
    const silent = { haproxy: 'silent' } as const
    expect([...judged(silent, { at: 10_900 }).withheld]).toEqual(both('HAProxy does not answer'))
    expect(judged(silent, { at: 11_000 }).withheld).toEqual(new Map())
    expect(judged(silent, { at: 10_900 }, { ...silent, at: 10_950 }, { at: 11_900 }).withheld.size).toBe(2)
  })

  it('reports the problem that keeps this machine from holding any address, and not the decision of the controller', () => {
    expect(judged({ haproxy: 'gone' }).trouble).toBe('HAProxy does not run')
    expect(judged({ word: aWord({ eligible: false, refused: [one] }) }).trouble).toBe(null)
    const gone = { keepalived: 'gone' } as const
    expect(judged(gone, { ...gone, at: 11_900 }).trouble).toBe(null)
    expect(judged(gone, { ...gone, at: 12_000 }).trouble).toBe('keepalived does not run')
    expect(judged(gone, { at: 11_000 }, { ...gone, at: 12_000 }).trouble).toBe(null)
  })

  it('withholds all addresses if no instance is reached for a while and the controller reports that another machine reaches one', () => {
    const none = { reachesAny: false }
    const later = { ...none, at: 10_300 }
    expect(judged({ ...none, word: aWord({}) }).withheld.size).toBe(0)
    expect([...judged({ ...none, word: aWord({}) }, { ...later, word: aWord({}) }).withheld]).toEqual(
      both('HAProxy reaches no instance, but another machine does'),
    )
    const nobody = aWord({ othersServe: false })
    expect(judged({ ...none, word: nobody }, { ...later, word: nobody }).withheld.size).toBe(0)
    expect(judged(none, later).withheld.size).toBe(0)
    const old = aWord({ heardAt: 5_000 })
    expect(judged({ ...none, word: old }, { ...later, word: old }).withheld.size).toBe(0)
    const again = { at: 10_100, reachesAny: true }
    expect(judged({ ...none, word: aWord({}) }, again, { ...later, word: aWord({}) }).withheld.size).toBe(0)
    expect(judged({ reachesAny: null, word: aWord({}) }, { at: 20_000, reachesAny: null }).withheld.size).toBe(0)
  })

  it('drops refused addresses as long as the controller is heard', () => {
    const refused = (heardAt: number) => judged({ word: aWord({ refused: [two], heardAt }) })
    expect([...refused(10_000).withheld]).toEqual([
      [two, 'two machines held the address, and the controller chose the other machine'],
    ])
    expect(refused(5_000).gently.size).toBe(0)
    expect(refused(5_000).withheld.size).toBe(1)
    expect(refused(4_999).withheld.size).toBe(0)
  })

  it('gives back gently the addresses that prefer another machine, and all addresses if the machine is out of traffic, with or without the controller', () => {
    const yielded = judged({ word: aWord({ yields: [one] }) })
    expect([[...yielded.withheld.keys()], [...yielded.gently]]).toEqual([[one], [one]])
    expect(judged({ word: aWord({ yields: [one], heardAt: 0 }) }).withheld.size).toBe(0)
    const out = judged({ word: aWord({ eligible: false, heardAt: 0 }) })
    expect([out.withheld.size, out.gently.size]).toEqual([2, 2])
    // A machine that does not serve gives up nothing gently.
    expect(judged({ haproxy: 'gone', word: aWord({ eligible: false }) }).gently.size).toBe(0)
  })

  it('cleans up after a keepalived that has ended and left an address', () => {
    expect(judged({ keepalived: 'gone' }).cleanUp).toBe(false)
    expect(judged({ keepalived: 'gone', held: [one] }).cleanUp).toBe(true)
    expect(judged({ keepalived: 'frozen', held: [one] }).cleanUp).toBe(true)
    expect(judged({ held: [one] }).cleanUp).toBe(false)
  })
})
