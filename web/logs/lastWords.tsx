import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { Output } from '../lib/output.tsx'
import { shortTime } from '../lib/time.ts'
import { useLastWords } from '../lib/useLastWords.ts'

/** The last output of an instance before it failed: it is there also when its machine is gone. */
export function LastWords({ instance }: { instance: string }): JSX.Element | null {
  const { now } = useCluster()
  const words = useLastWords(instance)
  // It has not failed, as far as the controller knows.
  if (words === null || typeof words === 'string') return null
  const { machine, at, reason, lines, cut, hints } = words
  return (
    <details class="last-words" open>
      <summary>
        <span class="tone-bad">
          <Shape shape="cross" /> {words.instance} failed on {machine} at {shortTime(at, now.value)}
        </span>{' '}
        <strong>{reason}</strong>
      </summary>
      <p class="second">
        {lines.length === 0
          ? 'It wrote nothing before that.'
          : `Its last lines, which ${machine} sent with the failure${cut ? '; it wrote more before them' : ''}:`}
      </p>
      {hints.map((hint) => (
        <p key={hint}>Hint: {hint}</p>
      ))}
      {lines.length === 0 ? null : <Output lines={lines} label="last lines before the failure" />}
    </details>
  )
}
