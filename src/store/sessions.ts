import { randomBytes } from 'node:crypto'
import { sha256 } from '../lib/hash.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { SessionStore, StoredSession } from './sessionStore.ts'
import type { TokenHolder } from './tokenStore.ts'
import type { Tokens } from './tokens.ts'

/** Time in which a link must be used: a browser starts in a few seconds. */
export const linkMs = 60_000
/** Number of links of one token that wait; one more makes the oldest useless. */
const mostLinks = 100
/** A session ends by itself after this time: a browser that nobody uses any more must not keep its access. */
export const sessionMs = 30 * 24 * 3_600_000
/** A session through a tunnel: the tunnel ends it, but may end without having told the controller. */
export const tunnelSessionMs = 12 * 3_600_000
/** Number of sessions of one token; one more ends the oldest. A reader must not end those of an operator. */
const mostSessions = 1_000

const keyPrefix = 'tds_'

/** Whether a bearer token is the key of a session. */
export const isSessionKey = (token: string): boolean => token.startsWith(keyPrefix)

interface Link {
  token: string
  tunnel: string | null
  expiresAt: number
  isUsed: boolean
}

/** Who calls within a session, and the token (its SHA-256) on which the session depends. */
export interface SessionHolder extends TokenHolder {
  token: string
  expiresAt: number
}

/**
 * Sessions of browsers. The holder of a token makes a link that works once; who follows it gets the key of a session,
 * which may do whatever the token may, and ends with it. Secrets are stored only as SHA-256; links only in memory,
 * because they expire soon. Times in milliseconds since 1970.
 */
export class Sessions {
  readonly #store: SessionStore
  readonly #tokens: Tokens
  readonly #links = new Map<string, Link>()
  readonly #known: Map<string, StoredSession>
  /** Hashes of ended sessions that the store could not remove, as on a full disk: a restart would revive them. */
  readonly #unremoved = new Set<string>()

  static async open(store: SessionStore, tokens: Tokens): Promise<Sessions> {
    return new Sessions(store, tokens, await store.all())
  }

  private constructor(store: SessionStore, tokens: Tokens, stored: StoredSession[]) {
    this.#store = store
    this.#tokens = tokens
    this.#known = new Map(stored.map((session) => [session.hash, session]))
  }

  /** Makes the secret of a link for the holder of a token (its SHA-256); `tunnel`: see `endTunnel`. */
  link(token: string, now: number, tunnel: string | null = null): { link: string; expiresAt: number } {
    const link = `tdl_${randomBytes(32).toString('base64url')}`
    const expiresAt = now + linkMs
    // A used or expired link stays a while longer, so that its refusal can say why.
    for (const [hash, { expiresAt: end }] of this.#links) if (end + linkMs < now) this.#links.delete(hash)
    const own = [...this.#links].flatMap(([hash, one]) => (one.token === token ? [hash] : []))
    for (const oldest of own.slice(0, Math.max(0, own.length - mostLinks + 1))) this.#links.delete(oldest)
    this.#links.set(sha256(link), { token, tunnel, expiresAt, isUsed: false })
    return { link, expiresAt }
  }

  /** Why a link does not work (any more); `null`: it works. */
  whyNot(link: string, now: number): string | null {
    const known = this.#links.get(sha256(link))
    if (known === undefined) return 'the controller does not know this link'
    if (known.isUsed) return 'this link was used already; it works once'
    if (known.expiresAt < now) return `this link has expired; it works for ${linkMs / 1000} s`
    return this.#tokens.holderOf(known.token) === null ? 'the token of this link was revoked' : null
  }

  /** Uses up a link that works, and starts a session. The key cannot be read again. */
  async start(link: string, now: number): Promise<{ key: string; holder: SessionHolder } | null> {
    const used = this.#links.get(sha256(link))
    const holder = used && this.whyNot(link, now) === null ? this.#tokens.holderOf(used.token) : null
    if (used === undefined || holder === null) return null
    // Before the first wait: two requests with the same link must not both succeed.
    used.isUsed = true
    const { token, tunnel } = used
    const key = `${keyPrefix}${randomBytes(32).toString('base64url')}`
    const expiresAt = now + (tunnel === null ? sessionMs : tunnelSessionMs)
    const session = { hash: sha256(key), token, tunnel, startedAt: now, expiresAt }
    await this.prune(now)
    const own = [...this.#known.values()].filter((one) => one.token === token).map((one) => one.hash)
    await this.#end(own.slice(0, Math.max(0, own.length - mostSessions + 1)))
    this.#known.set(session.hash, session)
    // On a full disk somebody must be able to look: then the session lives until the controller starts again.
    await this.#store.put(session).catch(unlessUnwritable)
    return { key, holder: { ...holder, token, expiresAt } }
  }

  /** Finds the holder of a session by its key; `null`: the session is unknown, or has ended. */
  identify(key: string, now: number): SessionHolder | null {
    const session = this.#known.get(sha256(key))
    if (session === undefined || session.expiresAt <= now) return null
    const holder = this.#tokens.holderOf(session.token)
    return holder && { ...holder, token: session.token, expiresAt: session.expiresAt }
  }

  async end(key: string): Promise<void> {
    await this.#end([sha256(key)])
  }

  /** Ends the sessions whose links were made for a tunnel, and makes its other links useless. Returns their number. */
  async endTunnel(tunnel: string): Promise<number> {
    for (const [hash, link] of this.#links) if (link.tunnel === tunnel) this.#links.delete(hash)
    const ended = [...this.#known.values()].filter((session) => session.tunnel === tunnel).map(({ hash }) => hash)
    await this.#end(ended)
    return ended.length
  }

  /** Forgets sessions that have expired or whose token is gone. */
  async prune(now: number): Promise<void> {
    const isOver = ({ token, expiresAt }: StoredSession): boolean =>
      expiresAt <= now || this.#tokens.holderOf(token) === null
    await this.#end([...this.#known.values()].filter(isOver).map(({ hash }) => hash))
  }

  /** They end at once, also if the store fails; then the next end removes them from it. */
  async #end(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) {
      this.#known.delete(hash)
      this.#unremoved.add(hash)
    }
    const removed = [...this.#unremoved]
    try {
      await this.#store.remove(removed)
    } catch (error) {
      return unlessUnwritable(error)
    }
    for (const hash of removed) this.#unremoved.delete(hash)
  }
}

function unlessUnwritable(error: unknown): void {
  if (!(error instanceof OperatorError) || error.code !== 'E_LOG_UNWRITABLE') throw error
}
