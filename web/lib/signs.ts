import type { Overview } from '../../src/api/overview.ts'
import type { Shape, Tone } from './states.ts'

/** The kinds of sign that stand before an event. */
export type Sign = Overview['changes'][number]['sign']

export const signs: Record<Sign, { shape: Shape; tone: Tone }> = {
  running: { shape: 'play', tone: 'act' },
  done: { shape: 'check', tone: 'ok' },
  failed: { shape: 'cross', tone: 'bad' },
  reverted: { shape: 'back', tone: 'warn' },
  moved: { shape: 'swap', tone: 'quiet' },
  lost: { shape: 'dashed', tone: 'bad' },
  warn: { shape: 'triangle', tone: 'warn' },
  note: { shape: 'lines', tone: 'quiet' },
}
