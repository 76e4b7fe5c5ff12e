import { stripVTControlCharacters } from 'node:util'
import type { TextStream } from './host.ts'

/** Colours text for one stream, or leaves it as it is. What it makes is for `Output` alone: see `withColours`. */
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

/*
 * Text and colours reach the output in one string, and the text may be a service's. So colours travel as noncharacters
 * (U+FDD0 on, which no text holds), become escape sequences at the very end, and any other escape is what a service wrote.
 */
const firstMark = 0xfdd0
const marks = /[\ufdd0-\ufdef]/g
const sequences = Object.values(codes).flat()
const markOf = (index: number): string => String.fromCharCode(firstMark + index)

export const plain: Paint = (_style, text) => text

/** Colour only on a terminal that has it, and never against https://no-color.org. */
export function paintFor(stream: TextStream, env: NodeJS.ProcessEnv): Paint {
  if (stream.isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb') return plain
  const styles = Object.keys(codes)
  return (style, text) => {
    const index = 2 * styles.indexOf(style)
    return `${markOf(index)}${text}${markOf(index + 1)}`
  }
}

/** Painted text as a terminal takes it. */
export const withColours = (painted: string): string =>
  painted.replaceAll(marks, (mark) => {
    const code = sequences[mark.charCodeAt(0) - firstMark]
    return code === undefined ? '' : `\u001B[${code}m`
  })

/** Columns that painted text takes. */
export const widthOf = (painted: string): number => stripVTControlCharacters(painted.replaceAll(marks, '')).length
