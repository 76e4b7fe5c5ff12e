import type { JSX } from 'preact'
import { stateOf, type Shape as ShapeName, type StateName } from './states.ts'

const stroke = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5 } as const

/** Drawn in a box of 12 by 12. */
const shapes: Record<ShapeName, () => JSX.Element> = {
  disc: () => <circle cx="6" cy="6" r="3.5" fill="currentColor" />,
  half: () => (
    <>
      <circle cx="6" cy="6" r="4.5" {...stroke} />
      <path d="M6 1.5a4.5 4.5 0 0 0 0 9z" fill="currentColor" />
    </>
  ),
  low: () => (
    <>
      <circle cx="6" cy="6" r="4.5" {...stroke} />
      <path d="M1.8 7.5h8.4a4.5 4.5 0 0 1-8.4 0z" fill="currentColor" />
    </>
  ),
  cross: () => <path d="M2.5 2.5l7 7m0-7l-7 7" {...stroke} stroke-width="2.2" />,
  triangle: () => <path d="M6 1.2L11.4 10.8H.6z" fill="currentColor" />,
  square: () => <path d="M2.2 2.2h7.6v7.6H2.2z" {...stroke} />,
  dashed: () => <circle cx="6" cy="6" r="4.5" {...stroke} stroke-dasharray="2.2 1.6" />,
  dash: () => <path d="M3 6h6" {...stroke} />,
  ring: () => <circle cx="6" cy="6" r="4" {...stroke} />,
  check: () => <path d="M1.8 6.5l2.8 3 5.6-7" {...stroke} stroke-width="1.8" />,
  back: () => <path d="M4.5 1.5L1.8 4.2l2.7 2.7M2 4.2h5.4a2.9 2.9 0 0 1 0 5.8H4.5" {...stroke} />,
  play: () => <path d="M2.5 1.2l8 4.8-8 4.8z" fill="currentColor" />,
  swap: () => <path d="M1 4h9M7.5 1.5L10 4 7.5 6.5M11 8.5H2M4.5 6L2 8.5 4.5 11" {...stroke} stroke-width="1.2" />,
  lines: () => <path d="M1.5 2.5h9M1.5 6h6.5M1.5 9.5h4" {...stroke} />,
}

/** A drawn shape that says nothing by itself: its word stands beside it. */
export function Shape({ shape }: { shape: ShapeName }): JSX.Element {
  return (
    <svg class="glyph" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {shapes[shape]()}
    </svg>
  )
}

interface GlyphProps {
  /** Any name of `states`, or one that a newer controller sends. */
  state: StateName | (string & {})
  /** Replaces the word of the state. */
  children?: JSX.Element | string
  /** Only screen readers get the word. For `ready`, and where the word stands beside it anyway. */
  bare?: boolean
}

/** The shape and the word of a state, in its tone. */
export function Glyph({ state, children, bare = false }: GlyphProps): JSX.Element {
  const { shape, word, tone } = stateOf(state)
  return (
    <span class={`state tone-${tone}`}>
      <Shape shape={shape} />
      <span class={bare ? 'vh' : 'word'}>{children ?? word}</span>
    </span>
  )
}
