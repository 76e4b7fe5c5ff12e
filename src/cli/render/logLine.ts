import type { Answer } from '../../protocol/ask.ts'
import type { Paint, Style } from '../paint.ts'

type Line = Extract<Answer, { kind: 'line' }>

/** `02:14:07.310 shop-a-4kf2-1 │ text`, with the time in UTC. Lines from Tandem itself have a different mark. */
export function logLine({ at, instance, stream, text }: Line, { paint }: { paint: Paint }): string {
  const time = /T(\d\d:\d\d:\d\d\.\d{3})/.exec(at)?.[1] ?? at
  return `${paint('dim', time)} ${paint('cyan', instance)} ${paint(styles[stream], marks[stream])} ${text}`
}

const marks: Record<Line['stream'], string> = { out: '│', err: '┃', tandem: '·' }
const styles: Record<Line['stream'], Style> = { out: 'dim', err: 'yellow', tandem: 'dim' }
