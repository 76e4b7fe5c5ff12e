import type { RootKeyShares } from '../../events/secretEvents.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { armoredTo } from '../../sealing/ageFile.ts'
import { keyId, newKey } from '../../sealing/sealed.ts'
import { checkShare, joinShares, readShare, splitKey, writeShare, type Share } from '../../sealing/shares.ts'
import type { Controller } from '../controller.ts'
import type { RootKeys } from './rootKeys.ts'

interface Parts {
  controller: Controller
  rootKeys: RootKeys
}

export type Alone = Parameters<Parameters<Controller['exclusively']>[0]>[0]

/** Shares that were entered, of how many. */
export interface Entered {
  entered: number
  needed: number
  /** They have opened the key. */
  opened: boolean
}

/**
 * The root keys that this controller has: read where they are kept, or entered in shares, then only in memory. Shares of
 * an offered key make it the root key once enough of them were entered: so nobody can lose a key whose shares never
 * reached their holders.
 */
export class RootKeyRing {
  readonly #parts: Parts
  /** By `keyId`; read once, at the first use. */
  #keys: Promise<Map<string, Uint8Array>> | null = null
  /** By their set. */
  readonly #entered = new Map<string, Share[]>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Throws `E_SEALED`. */
  async key(id: string): Promise<Uint8Array> {
    const key = (await this.#load()).get(id)
    if (key) return key
    const { shares, rootKey } = this.#parts.controller.state
    throw shares && id === rootKey ? this.#sealed(shares) : missing(id)
  }

  /** Why no value can be read now; `null`: they can. */
  async whySealed(): Promise<string | null> {
    const { rootKey } = this.#parts.controller.state
    if (rootKey === null) return null
    try {
      await this.key(rootKey)
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** The root key; makes the first one. */
  async current(alone: Alone, by: string): Promise<Uint8Array> {
    const { rootKey, cluster, offered } = this.#parts.controller.state
    if (rootKey !== null) return this.key(rootKey)
    if (cluster?.seal) throw offered ? this.#sealed(offered.shares) : notInitialised(cluster.seal)
    // A call that was cut off may have kept one that no value needs.
    const [kept] = (await this.#load()).values()
    const root = kept ?? newKey()
    await this.#parts.rootKeys.keep([root])
    this.#has(root)
    await alone.execute({ type: 'UseRootKey', id: keyId(root), shares: null }, by)
    return root
  }

  /** Makes a root key that is kept here. `rewrap` wraps the keys of all values with it; `inUse`: ids of their root keys. */
  async replace(
    alone: Alone,
    by: string,
    { rewrap, inUse }: { rewrap: (root: Uint8Array) => Promise<void>; inUse: ReadonlySet<string> },
  ): Promise<void> {
    const root = newKey()
    const { rootKeys, controller } = this.#parts
    const known = await this.#load()
    // A key in shares is never on disk: after a crash, its holders enter them again. A replacement that failed before
    // may have left values under another key.
    const former =
      controller.state.shares === null ? [...known].flatMap(([id, key]) => (inUse.has(id) ? [key] : [])) : []
    await rootKeys.keep([root, ...former])
    known.set(keyId(root), root)
    await rewrap(root)
    await alone.execute({ type: 'UseRootKey', id: keyId(root), shares: null }, by)
    await rootKeys.keep([root])
    this.#has(root)
  }

  /** Makes a root key in shares, one for each holder, and returns them, encrypted. It takes effect once enough of them were entered. */
  async offer(alone: Alone, by: string, holders: readonly string[], needed: number): Promise<string[]> {
    const root = newKey()
    const { set, shares } = await splitKey(root, this.#parts.controller.config.cluster, { needed, of: holders.length })
    const encrypted = await Promise.all(shares.map((share, at) => armoredTo(holders[at] ?? '', writeShare(share))))
    await alone.execute({ type: 'OfferRootKey', id: keyId(root), shares: set }, by)
    return encrypted
  }

  /** Takes a share. `rewrap` wraps the keys of all values, when the share completes an offered key. */
  async enter(alone: Alone, text: string, by: string, rewrap: (root: Uint8Array) => Promise<void>): Promise<Entered> {
    const { controller } = this.#parts
    const { shares, offered } = controller.state
    const sets = [shares, offered?.shares ?? null].flatMap((one) => one ?? [])
    const share = readShare(text)
    const set = sets.find((one) => one.set === share.set) ?? sets[0]
    if (!set)
      throw new OperatorError('E_SHARE', 'this cluster has no root key in shares', {
        subject: 'secrets',
        next: 'tandem secrets status',
      })
    const before = this.#entered.get(set.set) ?? []
    checkShare(share, set, before)
    const given = [...before, share]
    this.#entered.set(set.set, given)
    if (given.length < set.needed) return { entered: given.length, needed: set.needed, opened: false }
    const root = await joinShares(given, controller.config.cluster, set)
    // When the rest fails, they are entered again.
    this.#entered.delete(set.set)
    const known = await this.#load()
    known.set(keyId(root), root)
    if (set.set === offered?.shares.set) {
      await rewrap(root)
      await alone.execute({ type: 'UseRootKey', id: keyId(root), shares: set }, by)
      await this.#parts.rootKeys.keep([])
      this.#has(root)
    }
    return { entered: given.length, needed: set.needed, opened: true }
  }

  /** Forgets a key in shares; whoever needs it must enter them again. */
  forget(): void {
    if (!this.#parts.controller.state.shares)
      throw new OperatorError('E_USAGE', 'the root key is sealed with the key of the machine: it cannot be forgotten', {
        subject: 'secrets',
        next: 'seal: { shares: 5, threshold: 3 }   in the cluster file, then tandem secrets rekey, puts it into shares',
      })
    this.#has()
    this.#entered.clear()
  }

  /** These are the only keys from now on. */
  #has(...keys: readonly Uint8Array[]): void {
    this.#keys = Promise.resolve(new Map(keys.map((key) => [keyId(key), key])))
  }

  #load(): Promise<Map<string, Uint8Array>> {
    return (this.#keys ??= this.#read())
  }

  async #read(): Promise<Map<string, Uint8Array>> {
    try {
      const keys = await this.#parts.rootKeys.read()
      return new Map(keys.map((key) => [keyId(key), key]))
    } catch (cause) {
      // The next use tries again.
      this.#keys = null
      if (cause instanceof OperatorError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new OperatorError('E_SEALED', `cannot open the root key of the secrets: ${why}`, { ...restore, cause })
    }
  }

  #sealed({ set, needed, of }: RootKeyShares): OperatorError {
    const entered = this.#entered.get(set)?.length ?? 0
    return new OperatorError('E_SEALED', `the secrets are sealed: ${entered} of ${needed} shares were entered`, {
      subject: 'secrets',
      next: `tandem secrets unseal   takes a share; ${of} people hold one each. Services run on with the values that they have`,
    })
  }
}

const restore = {
  subject: 'secrets',
  next: 'restore it from a backup: docs/secrets.md; services run on with the values that they have',
}

const missing = (id: string): OperatorError =>
  new OperatorError('E_SEALED', `the root key ${id} of the secrets is missing on the controller`, restore)

const notInitialised = ({ shares, threshold }: { shares: number; threshold: number }): OperatorError =>
  new OperatorError('E_SEALED', `there is no root key yet; the cluster file wants it in ${shares} shares`, {
    subject: 'secrets',
    next: `tandem secrets init --holder age1… --holder age1…   makes it; then ${threshold} holders enter their shares`,
  })
