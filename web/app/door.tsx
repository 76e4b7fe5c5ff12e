import { useSignal, useSignalEffect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { Api, Refused } from '../lib/api.ts'
import type { SessionKey } from '../lib/session.ts'
import { openCluster } from './cluster.ts'
import { Shell } from './shell.tsx'

interface DoorProps {
  session: SessionKey
  /** The secret of the link that opened the page. */
  link: string | null
}

/** Why a link did not sign in, or why a session ended. */
interface Reason {
  text: string
  next: string | null
}

/** Signs in with the link, and shows the cluster to whoever is signed in. */
export function Door({ session, link }: DoorProps): JSX.Element | null {
  const isSigningIn = useSignal(link !== null)
  const reason = useSignal<Reason | null>(null)
  useEffect(() => {
    if (link === null) return
    void signIn(session, link).then((refused) => {
      reason.value = refused
      isSigningIn.value = false
    })
  }, [link])
  if (isSigningIn.value) return null
  // A link that is refused does not end the session that this browser has.
  const isRefused = reason.value !== null
  if (session.key.value === null || isRefused) {
    return <SignedOut reason={reason.value} goOn={session.key.value === null ? null : () => (reason.value = null)} />
  }
  return <Inside key={session.key.value} session={session} own={session.key.value} />
}

const apiWith = (key: string): Api => new Api(key, () => {})

async function endFormer(key: string): Promise<void> {
  try {
    await apiWith(key).call('endSession', {})
  } catch {
    // It has ended before, or it ends by itself at its time.
  }
}

async function signIn(session: SessionKey, link: string): Promise<Reason | null> {
  try {
    const { key } = await apiWith(link).call('startSession', {})
    const former = session.key.peek()
    // Tabs with the former session go on with the new one, so they must hear of it before that ends.
    session.set(key)
    if (former !== null) await endFormer(former)
    return null
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return {
      text,
      next: error instanceof Refused ? error.next : 'tandem status   tells whether the controller answers',
    }
  }
}

/** `own`: the key of the session. */
function Inside({ session, own }: { session: SessionKey; own: string }): JSX.Element {
  const ended = (): void => session.end(own)
  const opened = useMemo(() => openCluster(own, ended), [own])
  useEffect(() => () => opened.close(), [opened])
  useSignalEffect(() => {
    if (opened.cluster.contact.value.state === 'ended') ended()
  })
  return <Shell opened={opened} ended={ended} />
}

function SignedOut({ reason, goOn }: { reason: Reason | null; goOn: (() => void) | null }): JSX.Element {
  return (
    <main class="alone" id="main">
      <h1>{reason === null ? 'You are not signed in' : `Not signed in: ${reason.text}`}</h1>
      <p>Open this page from a terminal, on a computer with a context for the cluster:</p>
      <pre class="command">
        <code>tandem open</code>
      </pre>
      <p class="second">
        The link that it makes works once, within a minute. No password is needed, and no cookie is set.
      </p>
      {goOn === null ? null : (
        <button type="button" onClick={goOn}>
          Go on with the session of this browser
        </button>
      )}
    </main>
  )
}
