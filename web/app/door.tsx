import type { JSX } from 'preact'
import type { Entrance, Reason } from './entrance.ts'
import { Shell } from './shell.tsx'

/** Shows the cluster to whoever is signed in. */
export function Door({ entrance }: { entrance: Entrance }): JSX.Element | null {
  const { session, isSigningIn, opened, reason } = entrance
  if (isSigningIn.value) return null
  const inside = opened.value
  if (inside !== null) return <Shell key={inside.own} opened={inside} ended={inside.ended} />
  return <SignedOut reason={reason.value} goOn={session.key.value === null ? null : () => entrance.goOn()} />
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
