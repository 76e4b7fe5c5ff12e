import type { TextStream } from './host.ts'

/** Colours text for one stream, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string
export type Style = keyof typeof codes

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const

export const plain: Paint = (_style, text) => text

/** Colour only on a terminal that has it, and never against https://no-color.org. */
export function paintFor(stream: TextStream, env: NodeJS.ProcessEnv): Paint {
  if (stream.isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb') return plain
  return (style, text) => `\u001B[${codes[style][0]}m${text}\u001B[${codes[style][1]}m`
}
