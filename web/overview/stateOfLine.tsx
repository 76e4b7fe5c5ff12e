import type { JSX } from 'preact'
import { Glyph } from '../lib/glyph.tsx'
import { shortRelease } from '../lib/numbers.ts'
import type { Line } from './cells.ts'

/** The state, the release and how many; `isDense` leaves the release out, because it stands once a row. */
export function State({ line, isDense }: { line: Line; isDense: boolean }): JSX.Element {
  const isReady = line.state === 'ready'
  const release = line.release === null || isDense ? null : shortRelease(line.release)
  return (
    <>
      <Glyph state={line.state} bare={isReady} />
      {release !== null && <code class={line.isBad ? 'tone-bad' : ''}>{release}</code>}
      {line.many !== null && <span class="second">×{line.many}</span>}
      {line.more !== null && !isDense && <span class="second">{line.more}</span>}
    </>
  )
}

/** Errors from one percent on stand out. */
const loudErrors = 0.01

export const errorsClass = (line: Line | undefined): string =>
  (line?.errors ?? 0) >= loudErrors ? 'tone-bad' : line?.errors === 0 ? 'quiet' : ''
