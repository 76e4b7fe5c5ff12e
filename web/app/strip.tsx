import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { clockTime, span } from '../lib/time.ts'

/** Says as of when the page is while it is cut off, and what that means. */
export function Strip({ tryNow }: { tryNow: () => void }): JSX.Element {
  const { contact } = useCluster()
  const { state, asOf, reason, nextTry } = contact.value
  const isLost = state === 'lost'
  return (
    <>
      <p class="vh" role="status">
        {isLost
          ? `Not live: ${asOf === null ? 'nothing is known yet' : `as of ${clockTime(asOf)} UTC`}. ${reason}`
          : ''}
      </p>
      {isLost ? (
        <section class="strip" aria-label="not live">
          <Shape shape="dashed" />
          <strong>{asOf === null ? 'Nothing is known yet.' : <AsOf at={asOf} />}</strong>
          <span>{reason} Services go on: they serve, restart and fail over without it; only changes wait.</span>
          <span class="next">
            {nextTry === null ? null : <NextTry at={nextTry} />}
            <button type="button" onClick={tryNow}>
              Try now
            </button>
          </span>
        </section>
      ) : null}
    </>
  )
}

function AsOf({ at }: { at: number }): JSX.Element {
  const { now } = useCluster()
  return (
    <>
      As of {clockTime(at)}, {span(now.value - at)} ago.
    </>
  )
}

/** `at`: by this computer's clock. */
function NextTry({ at }: { at: number }): JSX.Element {
  const left = useSignal(at - Date.now())
  useEffect(() => {
    const timer = setInterval(() => (left.value = at - Date.now()), 500)
    return () => clearInterval(timer)
  }, [at])
  const seconds = Math.ceil(left.value / 1_000)
  return <span>{seconds > 0 ? `next try in ${seconds} s` : 'trying now'}</span>
}
