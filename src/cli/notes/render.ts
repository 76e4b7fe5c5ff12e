import type { Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { seen } from '../render/seen.ts'

/** A line for each note: the machine, the text, and how old the note is. */
export const noteLines = ({ notes }: Status, now: number, paint: Paint): string[] =>
  notes.map(
    ({ machine, text, at }) => `${paint('cyan', '#')} ${machine}: ${text} ${paint('dim', `(${seen(at, now)})`)}`,
  )
