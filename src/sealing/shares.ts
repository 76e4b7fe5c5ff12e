import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { combine, split } from 'shamir-secret-sharing'
import { OperatorError } from '../lib/operatorError.ts'

/** One share of a root key, as its holder has it: `tandem-share 3f9c2a71 3/5 2 PAYLOAD CHECKSUM`. */
export interface Share {
  /** Which set of shares: 8 hex digits. */
  set: string
  /** So many of `of` open the key. */
  needed: number
  of: number
  /** From 1. */
  index: number
  payload: Uint8Array
}

/**
 * Everything by which shares are judged, before the key is opened. It tells nothing about the key: payloads are uniform
 * random bits.
 */
export interface ShareSet {
  set: string
  needed: number
  of: number
  /** SHA-256 of each share, by its index from 1. */
  hashes: string[]
  /** Proves that the opened key is the right one. */
  proof: string
}

const word = 'tandem-share'
const hexDigits = 8
const checksumDigits = 8

/** Splits a key into `of` shares, of which any `needed` open it. `cluster`: its name. */
export async function splitKey(
  key: Uint8Array,
  cluster: string,
  { needed, of }: Pick<ShareSet, 'needed' | 'of'>,
): Promise<{ set: ShareSet; shares: Share[] }> {
  const set = randomBytes(hexDigits / 2).toString('hex')
  // The library takes no Buffer.
  const payloads = await split(Uint8Array.from(key), of, needed)
  const shares = payloads.map((payload, at) => ({ set, needed, of, index: at + 1, payload }))
  return { set: { set, needed, of, hashes: shares.map(hashOf), proof: proofOf(key, cluster, set) }, shares }
}

/** Opens the key. Throws `E_SHARE` if there are too few shares, or the key is not that of the set. */
export async function joinShares(shares: readonly Share[], cluster: string, set: ShareSet): Promise<Uint8Array> {
  if (shares.length < set.needed) throw wrong(`${shares.length} of ${set.needed} shares are there`, 'give another one')
  const key = await combine(shares.slice(0, set.needed).map(({ payload }) => Uint8Array.from(payload)))
  // Wrong shares give wrong bytes, without an error.
  if (!areSame(proofOf(key, cluster, set.set), set.proof))
    throw wrong('the shares do not open the root key', 'begin again, with the shares of this cluster')
  return key
}

/** Throws `E_SHARE` if the share is not one of this set, or was given before. */
export function checkShare(share: Share, set: ShareSet, before: readonly Share[]): void {
  if (share.set !== set.set)
    throw wrong(
      `the share belongs to the set ${share.set}, and the root key to ${set.set}`,
      'use the shares of the newest tandem secrets init or rekey of this cluster',
    )
  if (!areSame(hashOf(share), set.hashes[share.index - 1] ?? ''))
    throw wrong(`share ${share.index} is not the one that was made`, 'compare it with the original, letter by letter')
  if (before.some(({ index }) => index === share.index))
    throw wrong(`share ${share.index} was given already`, 'ask the holder of another share')
}

export const writeShare = (share: Share): string => {
  const { set, needed, of, index, payload } = share
  return [word, set, `${needed}/${of}`, index, Buffer.from(payload).toString('hex'), checksum(share)].join(' ')
}

/** Throws `E_SHARE` if the text is no share, or has a typing error. */
export function readShare(text: string): Share {
  const [first, set = '', many = '', index = '', payload = '', sum = ''] = text.trim().split(/\s+/)
  const [, needed = '', of = ''] = /^(\d{1,3})\/(\d{1,3})$/.exec(many) ?? []
  const isWhole = first === word && /^[0-9a-f]{8}$/.test(set) && needed !== '' && /^\d{1,3}$/.test(index)
  if (!isWhole || !/^(?:[0-9a-f]{2})+$/.test(payload))
    throw wrong('this is no share', `a share is one line that begins with ${word}`)
  const share = {
    ...{ set, needed: Number(needed), of: Number(of), index: Number(index) },
    payload: Buffer.from(payload, 'hex'),
  }
  if (sum !== checksum(share))
    throw wrong('the share has a typing error', 'compare it with the original, letter by letter')
  return share
}

/** Finds typing errors; no protection. */
const checksum = (share: Share): string => hashOf(share).slice(0, checksumDigits)

function hashOf({ set, needed, of, index, payload }: Share): string {
  return createHash('sha256').update(`${set} ${needed}/${of} ${index} `).update(payload).digest('hex')
}

const proofOf = (key: Uint8Array, cluster: string, set: string): string =>
  createHmac('sha256', key).update(`tandem: proof of a root key ${cluster} ${set}`).digest('hex')

const areSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

const wrong = (what: string, next: string): OperatorError =>
  new OperatorError('E_SHARE', what, { subject: 'tandem secrets unseal', next })
