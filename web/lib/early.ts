import type { Operations, Result } from '../../src/api/contract.ts'
import { signInCall, streams } from './calls.ts'
import { openStream, request } from './request.ts'
import { storedKey, takeLink } from './session.ts'
import { leadNow, streamName } from './sharing.ts'

/*
 * A page asks for its state at once. Its first lines begin that (`app/early.ts`) while the code that takes the answers is
 * on its way: this saves a round trip, and one more for whoever comes by a link.
 */

/** The stream of a session, which this tab leads. */
export interface EarlyStream {
  key: string
  response: Promise<Response>
  /** Ends the stream. */
  stop: () => void
  /** Lets another tab lead. */
  giveUp: () => void
}

export interface Link {
  secret: string
  /** The answer to it, which has the key of a session. */
  response: Promise<Response>
}

export interface Early {
  /** The link that opened the page. */
  link: Link | null
  /** `null`: nobody is signed in or sees the page, or another tab reads the stream. */
  stream: Promise<EarlyStream | null>
}

export function beginEarly(): Early {
  const secret = takeLink()
  if (secret === null) return { link: null, stream: openEarly(Promise.resolve(storedKey(localStorage))) }
  const response = request(secret, ...signInCall)
  // A body is read once: this takes its copy before anybody has the answer.
  const key = response.then(async (answer) => {
    if (!answer.ok) return null
    return ((await answer.clone().json()) as Result<Operations['startSession']>).key // the answer of this call
  })
  return { link: { secret, response }, stream: openEarly(key) }
}

/** Takes the early stream of a session; only the first call gets it. */
export async function takeStream(early: Early, key: string): Promise<EarlyStream | null> {
  const { stream } = early
  early.stream = Promise.resolve(null)
  const taken = await stream
  if (taken === null || taken.key === key) return taken
  dropStream(taken)
  return null
}

export function dropStream({ stop, giveUp }: EarlyStream): void {
  stop()
  giveUp()
}

async function openEarly(signedIn: Promise<string | null>): Promise<EarlyStream | null> {
  try {
    const key = await signedIn
    if (key === null || document.visibilityState !== 'visible') return null
    const giveUp = await leadNow(streamName(key))
    if (giveUp === null) return null
    const aborted = new AbortController()
    const response = openStream(key, streams.live, aborted.signal)
    response.catch(() => {}) // whoever takes the stream hears of it
    return { key, response, stop: () => aborted.abort(), giveUp }
  } catch {
    return null // the page asks again, and says why it fails
  }
}
