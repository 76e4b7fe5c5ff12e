import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals-core'
import type { Operations, Result } from '../../src/api/contract.ts'
import { Api, Refused } from '../lib/api.ts'
import type { Early, Link } from '../lib/early.ts'
import type { SessionKey } from '../lib/session.ts'
import { openCluster, type Opened } from './cluster.ts'

/** Why a link did not sign in. */
export interface Reason {
  text: string
  next: string | null
}

/** The cluster of a session. */
interface Inside extends Opened {
  /** The key of the session. */
  own: string
  /** Says that the session has ended. */
  ended: () => void
}

/** Signs in with the link that opened the page, and opens the cluster for whoever is signed in. */
export class Entrance {
  readonly session: SessionKey
  readonly #isSigningIn = signal(false)
  readonly #reason = signal<Reason | null>(null)
  readonly #opened = signal<Inside | null>(null)

  constructor(session: SessionKey, early: Early) {
    this.session = session
    if (early.link !== null) void this.#signIn(early.link)
    effect(() => {
      const own = session.key.value
      // A link that is refused does not end the session that this browser has.
      if (own === null || this.#isSigningIn.value || this.#reason.value !== null) return undefined
      const ended = (): void => session.end(own)
      const opened = untracked(() => openCluster(own, ended, early))
      this.#opened.value = { ...opened, ended, own }
      return () => {
        this.#opened.value = null
        opened.close()
      }
    })
    effect(() => {
      const opened = this.#opened.value
      if (opened?.cluster.contact.value.state === 'ended') opened.ended()
    })
  }

  get isSigningIn(): ReadonlySignal<boolean> {
    return this.#isSigningIn
  }

  get reason(): ReadonlySignal<Reason | null> {
    return this.#reason
  }

  /** `null`: nobody is signed in, or the link was refused. */
  get opened(): ReadonlySignal<Inside | null> {
    return this.#opened
  }

  /** After a link was refused: goes on with the session that this browser has. */
  goOn(): void {
    this.#reason.value = null
  }

  async #signIn({ secret, response }: Link): Promise<void> {
    this.#isSigningIn.value = true
    const { session } = this
    try {
      const answer = await apiWith(secret).accepted(response)
      const { key } = (await answer.json()) as Result<Operations['startSession']> // the answer of this call
      const former = session.key.peek()
      // Tabs with the former session go on with the new one, so they must hear of it before that ends.
      session.set(key)
      if (former !== null) void endFormer(former)
    } catch (error) {
      this.#reason.value = {
        text: error instanceof Error ? error.message : String(error),
        next: error instanceof Refused ? error.next : 'tandem status   tells whether the controller answers',
      }
    }
    this.#isSigningIn.value = false
  }
}

const apiWith = (key: string): Api => new Api(key, () => {})

async function endFormer(key: string): Promise<void> {
  try {
    await apiWith(key).call('endSession', {})
  } catch {
    // It has ended before, or it ends by itself at its time.
  }
}
