import type { SecretCommand } from '../../secrets/room.ts'
import { noSuchSecret, noSuchVersion } from '../../secrets/room.ts'
import { currentVersion, nextVersion, rejectedBy, type Secret } from '../../secrets/state.ts'
import { mostSecretBytes, mostValueBytes, tooLarge } from '../../definitions/secrets/paths.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { keyId, openValue, rewrapped, sealValue } from '../../sealing/sealed.ts'
import type { SecretStore, StoredVersion, WrappedKey } from '../../store/secretStore.ts'
import type { Controller } from '../controller.ts'
import { refusalError } from '../refusalError.ts'
import { RootKeyRing, type Alone, type Entered } from './rootKeyRing.ts'
import type { RootKeys } from './rootKeys.ts'

/** The values of a secret, by field. */
export type Fields = Record<string, Buffer>

interface Put {
  path: string
  fields: Fields
  /** Drop the fields that are not given. */
  replace: boolean
  cas: number | null
  reason: string | null
}

interface Stored {
  version: number
  /** False: the newest version has these values already. */
  changed: boolean
}

interface Parts {
  controller: Controller
  store: SecretStore
  rootKeys: RootKeys
}

/**
 * The values of secrets: encrypted in the store, each under a key of its own, which the root key wraps. A value is on
 * disk before the event that makes it known; a crash between both leaves a value that the next version replaces.
 */
export class SecretKeeper {
  readonly #parts: Parts
  readonly ring: RootKeyRing

  constructor(parts: Parts) {
    this.#parts = parts
    this.ring = new RootKeyRing(parts)
  }

  put({ path, fields, replace, cas, reason }: Put, by: string): Promise<Stored> {
    return this.#parts.controller.exclusively(async (alone) => {
      const secret = this.#state.secrets[path]
      const current = currentVersion(secret)
      const before = current === null ? {} : await this.#open(path, current.version)
      const after = replace ? fields : { ...before, ...fields }
      refuseLarge(path, after)
      const isSame =
        current !== null &&
        (cas === null || cas === current.version) &&
        areEqual(before, after) &&
        rejectedBy(this.#state, path, current.version).length === 0
      if (isSame) return { version: current.version, changed: false }
      return this.#store(alone, { path, fields: after, cas, reason, of: null }, by)
    })
  }

  /** Throws `E_NO_SUCH_SECRET`. `version`: left out, the current one. */
  async read(path: string, version?: number): Promise<{ version: number; fields: Fields }> {
    const found = versionOf(this.#known(path), version)
    return { version: found, fields: await this.#open(path, found) }
  }

  /** Stores an earlier version again; `null`: the one before the newest. */
  rollback(path: string, version: number | null, reason: string | null, by: string): Promise<Stored> {
    return this.#parts.controller.exclusively(async (alone) => {
      const secret = this.#known(path)
      const kept = secret.versions.map((one) => one.version)
      const of = version ?? kept.at(-2)
      if (of === undefined)
        throw refusalError({ ...noSuchVersion(path, 0, kept), message: `${path} has no version before this one` })
      const fields = await this.#open(path, versionOf(secret, of))
      const isRejected = rejectedBy(this.#state, path, of).length > 0
      if (of === currentVersion(secret)?.version && !isRejected) return { version: of, changed: false }
      return this.#store(alone, { path, fields, cas: null, reason, of }, by)
    })
  }

  /** Removes the values that the log calls destroyed. Also after a crash: the call may be repeated. */
  async destroyed(path: string): Promise<void> {
    const secret = this.#state.secrets[path]
    const kept = new Set(secret?.versions.map(({ version }) => version))
    const stored = (await this.#parts.store.keys()).filter((one) => one.path === path).map(({ version }) => version)
    await this.#parts.store.destroy(
      path,
      stored.filter((version) => !kept.has(version)),
    )
  }

  /**
   * Makes a new root key: kept here, then all values are under it at the end; or in shares, one for each of `holders`
   * (public keys of age), then it takes effect once enough of them were entered. Returns the shares, encrypted. A call
   * that was cut off may be repeated.
   */
  rekey(holders: readonly string[], by: string): Promise<string[]> {
    const { controller, store } = this.#parts
    return controller.exclusively(async (alone) => {
      const { seal } = this.#state.cluster ?? {}
      if (seal && seal.threshold > seal.shares) throw neverEnough(seal)
      refuseHolders(holders, seal?.shares ?? 0)
      if (!seal) {
        const inUse = new Set((await store.keys()).map(({ root }) => root))
        await this.ring.replace(alone, by, { rewrap: (root) => this.#rewrap(root), inUse })
        return []
      }
      return this.ring.offer(alone, by, holders, seal.threshold)
    })
  }

  /** Takes a share of a root key. */
  unseal(share: string, by: string): Promise<Entered> {
    return this.#parts.controller.exclusively((alone) =>
      this.ring.enter(alone, share, by, (root) => this.#rewrap(root)),
    )
  }

  get #state() {
    return this.#parts.controller.state
  }

  #known(path: string): Secret {
    const { secrets } = this.#state
    const secret = Object.hasOwn(secrets, path) ? secrets[path] : undefined
    if (!secret) throw refusalError(noSuchSecret(path))
    return secret
  }

  async #store(
    alone: Alone,
    { path, fields, ...about }: Omit<Put, 'replace'> & Pick<Extract<SecretCommand, { type: 'StoreSecret' }>, 'of'>,
    by: string,
  ): Promise<Stored> {
    const { store } = this.#parts
    const version = nextVersion(this.#state, path)
    const root = await this.ring.current(alone, by)
    const bytes = sizeOf(fields)
    await store.put({ path, version, ...sealValue(root, this.#about({ path, version }), textOf(fields)) })
    const request = { type: 'StoreSecret' as const, path, fields: Object.keys(fields), bytes, ...about }
    const events = await alone.execute(request, by).catch(async (error: unknown) => {
      await store.destroy(path, [version])
      throw error
    })
    if (events.length > 1) await this.destroyed(path)
    return { version, changed: true }
  }

  async #open(path: string, version: number): Promise<Fields> {
    const value = await this.#parts.store.get(path, version)
    if (!value) throw lost(path, version)
    const root = await this.ring.key(value.root)
    try {
      return fieldsIn(openValue(root, this.#about(value), value))
    } catch (cause) {
      throw damaged(path, version, cause)
    }
  }

  #about({ path, version }: Pick<StoredVersion, 'path' | 'version'>): string {
    return `${this.#state.config.cluster} ${path} ${version}`
  }

  /** Wraps the keys of all values with this root key. */
  async #rewrap(root: Uint8Array): Promise<void> {
    const { store } = this.#parts
    const others = (await store.keys()).filter((one) => one.root !== keyId(root))
    const wrapped: WrappedKey[] = []
    for (const one of others) {
      const key = rewrapped(await this.ring.key(one.root), root, this.#about(one), one.wrapped)
      wrapped.push({ ...one, root: keyId(root), wrapped: key })
    }
    await store.rewrap(wrapped)
  }
}

const neverEnough = ({ shares, threshold }: { shares: number; threshold: number }): OperatorError =>
  new OperatorError('E_USAGE', `${threshold} of ${shares} shares can never open the root key`, {
    subject: 'seal',
    next: 'write a threshold of at most the number of shares into the cluster file, and apply it',
  })

function refuseHolders(holders: readonly string[], wanted: number): void {
  if (holders.length === wanted && new Set(holders).size === wanted) return
  const what =
    wanted === 0
      ? 'the cluster file puts the root key into no shares'
      : `the cluster file wants ${wanted} different holders; ${new Set(holders).size} were given`
  throw new OperatorError('E_USAGE', what, {
    subject: '--holder',
    next:
      wanted === 0
        ? 'leave --holder out, or write seal: { shares: 5, threshold: 3 } into the cluster file'
        : 'give --holder age1… once for each person: the public key that age-keygen printed for them',
  })
}

/** Throws `E_NO_SUCH_SECRET` if that version is not kept. */
function versionOf(secret: Secret, version: number | undefined): number {
  const { path, versions, isDeleted } = secret
  const kept = versions.map((one) => one.version)
  if (version === undefined && isDeleted)
    throw new OperatorError('E_NO_SUCH_SECRET', `${path} was deleted`, {
      subject: path,
      next: `tandem secrets undelete ${path}`,
    })
  const wanted = version ?? kept.at(-1) ?? secret.last
  if (!kept.includes(wanted)) throw refusalError(noSuchVersion(path, wanted, kept))
  return wanted
}

const sizeOf = (fields: Fields): number => Object.values(fields).reduce((sum, value) => sum + value.byteLength, 0)

function refuseLarge(path: string, fields: Fields): void {
  const large = Object.entries(fields).find(([, value]) => value.byteLength > mostValueBytes)
  if (large) throw tooLarge(`${path}#${large[0]}`, mostValueBytes)
  if (sizeOf(fields) > mostSecretBytes) throw tooLarge(path, mostSecretBytes)
}

function areEqual(one: Fields, other: Fields): boolean {
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => other[name] !== undefined && one[name]?.equals(other[name]))
  )
}

const textOf = (fields: Fields): Buffer =>
  Buffer.from(
    JSON.stringify(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.toString('base64')]))),
  )

const fieldsIn = (text: Buffer): Fields =>
  Object.fromEntries(
    Object.entries(JSON.parse(text.toString('utf8')) as Record<string, string>).map(([name, value]) => [
      name,
      Buffer.from(value, 'base64'),
    ]),
  ) // what textOf writes, and nobody could change

const lost = (path: string, version: number): OperatorError =>
  new OperatorError('E_SECRET_LOST', `the value of ${path}, version ${version}, is not on the controller's disk`, {
    subject: path,
    next: 'the database is older than the log, or was changed by hand: store the value again',
  })

const damaged = (path: string, version: number, cause: unknown): OperatorError =>
  new OperatorError('E_SECRET_LOST', `the value of ${path}, version ${version}, was changed on the controller's disk`, {
    subject: path,
    next: 'store the value again, or restore the database from a backup',
    cause,
  })
