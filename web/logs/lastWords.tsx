import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { LastWordsView } from '../../src/api/lastWords.ts'
import { useCluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { clockTime } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import { lineTime } from './logRow.tsx'

/** The last output of an instance before it failed: it is there also when its machine is gone. */
export function LastWords({ instance, today }: { instance: string; today: string }): JSX.Element | null {
  const { api, overview, now } = useCluster()
  const words = useSignal<LastWordsView | null>(null)
  // Another failure has another number of restarts; its lines come later, since the agent sends them twice a minute.
  const known = overview.value?.services.flatMap((one) => one.instances).find(({ id }) => id.startsWith(instance))
  const turn = `${known?.restarts} ${known?.state} ${known?.state === 'ready' ? 0 : Math.floor(now.value / 15_000)}`
  useEffect(() => {
    const gone = new AbortController()
    api.call('lastWords', { params: { instance } }, gone.signal).then(
      (found) => (words.value = found),
      () => {}, // it has not failed, as far as the controller knows
    )
    return () => gone.abort()
  }, [instance, turn])
  const { value } = words
  const lines = useRef<HTMLPreElement>(null)
  useLayoutEffect(() => {
    // The cause stands at their end.
    if (lines.current) lines.current.scrollTop = lines.current.scrollHeight
  }, [value])
  if (value === null) return null
  return (
    <details class="last-words" open>
      <summary>
        <span class="tone-bad">
          <Shape shape="cross" /> {value.instance} failed on {value.machine} at {clockTime(value.at)}
        </span>{' '}
        <strong>{value.reason}</strong>
      </summary>
      <p class="second">
        {value.lines.length === 0
          ? 'It wrote nothing before that.'
          : `Its last lines, which ${value.machine} sent with the failure${value.cut ? '; it wrote more before them' : ''}:`}
      </p>
      {value.lines.length === 0 ? null : (
        <pre class="words" ref={lines} tabIndex={0} role="region" aria-label="last lines before the failure">
          {value.lines.map(({ at, stream, text }, index) => (
            <span key={index} class={`from-${stream}`}>
              <span class="quiet">{lineTime(at, today)}</span> {visible(text)}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
    </details>
  )
}
