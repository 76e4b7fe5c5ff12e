import { randomBytes } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'
import type { TextStream } from './host.ts'

/** Colours text for one stream, or returns it unchanged. Only `Output` can print the result: see `withColours`. */
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
 * One string carries both text and colours to the output, and a service may have written the text. So marks stand for
 * colours, and become escape sequences only at the end. Any other escape sequence was written by a service. A mark is
 * made of noncharacters, and begins with some that this process chose at random: no service can write it.
 */
const firstMark = 0xfdd0
const noncharacter = (index: number): string => String.fromCharCode(firstMark + (index % 32))
const start = Array.from(randomBytes(8), noncharacter).join('')
const marks = new RegExp(`${start}([\ufdd0-\ufdef])`, 'g')
const sequences = Object.values(codes).flat()
const markOf = (index: number): string => start + noncharacter(index)

export const plain: Paint = (_style, text) => text

/** Uses colour only on a terminal that supports it, and respects NO_COLOR (https://no-color.org). */
export function paintFor(stream: TextStream, env: NodeJS.ProcessEnv): Paint {
  if (stream.isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb') return plain
  const styles = Object.keys(codes)
  return (style, text) => {
    const index = 2 * styles.indexOf(style)
    return `${markOf(index)}${text}${markOf(index + 1)}`
  }
}

/** Converts painted text to text with escape sequences. */
export const withColours = (painted: string): string =>
  painted.replaceAll(marks, (_, mark: string) => {
    const code = sequences[mark.charCodeAt(0) - firstMark]
    return code === undefined ? '' : `\u001B[${code}m`
  })

/** Number of columns that painted text occupies. */
export const widthOf = (painted: string): number => stripVTControlCharacters(painted.replaceAll(marks, '')).length
