import type { JSX } from 'preact'
import { Shape } from './glyph.tsx'
import { signs, type Sign as SignName } from './signs.ts'

/** The sign that stands before an event. */
export function Sign({ sign }: { sign: SignName }): JSX.Element {
  const { shape, tone } = signs[sign]
  return (
    <span class={`tone-${tone}`}>
      <Shape shape={shape} />
    </span>
  )
}
