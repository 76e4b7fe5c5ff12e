import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { LastWordsView } from '../../src/api/lastWords.ts'
import './output.css'
import { visible } from './visible.ts'

export type OutputLine = LastWordsView['lines'][number]

/** Output as it was written, newest last. */
export function Output({ lines, label }: { lines: readonly OutputLine[]; label: string }): JSX.Element {
  const room = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    // The cause stands at the end.
    if (room.current) room.current.scrollTop = room.current.scrollHeight
  }, [lines])
  return (
    <div class="output" ref={room} role="log" aria-label={label} aria-live="off" tabIndex={0}>
      {lines.map(({ at, stream, text }, index) => (
        // Two lines may be the same in every way.
        <p key={`${at} ${index}`} class={stream === 'tandem' ? 'quiet' : stream === 'err' ? 'err' : undefined}>
          <time dateTime={at}>{at.slice(11, 23)}</time>{' '}
          <span aria-hidden="true">{stream === 'tandem' ? '·' : '│'}</span> {visible(text)}
        </p>
      ))}
      {lines.length === 0 && <p class="quiet">No output yet.</p>}
    </div>
  )
}
