import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newKey } from './sealed.ts'
import { checkShare, joinShares, readShare, splitKey, writeShare, type Share, type ShareSet } from './shares.ts'

const cluster = 'production'
const made = (key: Uint8Array, needed = 3, of = 5): ReturnType<typeof splitKey> =>
  splitKey(key, cluster, { needed, of })

/** The shares with these numbers, as their holders type them. */
const typed = (shares: readonly Share[], ...numbers: number[]): Share[] =>
  numbers.map((number) => readShare(writeShare(shares[number - 1] as Share)))

const refused = (share: Share, set: ShareSet, before: readonly Share[] = []): (() => void) => {
  return () => checkShare(share, set, before)
}

describe('shares of a root key', () => {
  it('open it, any k of n in any order, and k - 1 do not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 3 }), async (needed, more) => {
        const key = newKey()
        const { set, shares } = await made(key, needed, needed + more)
        const some = fc.sample(fc.shuffledSubarray(shares, { minLength: needed, maxLength: needed }), 1)[0] ?? []
        expect(Buffer.from(await joinShares(some, cluster, set))).toEqual(key)
        await expect(joinShares(some.slice(1), cluster, set)).rejects.toMatchObject({ code: 'E_SHARE' })
      }),
      { numRuns: 20 },
    )
  })

  it('are each judged alone: of another set, changed, doubled', async () => {
    const { set, shares } = await made(newKey())
    const other = await made(newKey())
    const [one, two] = typed(shares, 1, 2) as [Share, Share]
    expect(refused(one, set)).not.toThrow()
    expect(refused(two, set, [one])).not.toThrow()
    expect(refused(one, set, [one])).toThrow('share 1 was given already')
    expect(refused(other.shares[0] as Share, set)).toThrow(/belongs to the set [0-9a-f]{8}, and the root key to/)
    const changed = { ...one, payload: Buffer.from(one.payload).fill(7, 0, 1) }
    expect(refused(changed, set)).toThrow('share 1 is not the one that was made')
    expect(refused({ ...one, index: 2 }, set)).toThrow('share 2 is not the one that was made')
    expect(refused({ ...one, index: 9 }, set)).toThrow('share 9 is not the one that was made')
  })

  it('have a checksum that finds every typing error of one letter', async () => {
    const { shares } = await made(newKey())
    const text = writeShare(shares[0] as Share)
    expect(writeShare(readShare(`  ${text}\n`))).toBe(text)
    for (let at = 0; at < text.length; at++) {
      const letter = text[at] === '1' ? '2' : '1'
      const mistyped = text.slice(0, at) + letter + text.slice(at + 1)
      expect(() => readShare(mistyped), mistyped).toThrow(/typing error|this is no share/)
    }
  })

  it('do not open the key of another cluster, and no wrong ones open anything', async () => {
    const key = newKey()
    const { set, shares } = await made(key)
    await expect(joinShares(shares, 'staging', set)).rejects.toThrow('do not open')
    const wrong = shares.map((share) => ({
      ...share,
      payload: share.payload.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
    }))
    await expect(joinShares(wrong, cluster, set)).rejects.toThrow('do not open')
  })
})
