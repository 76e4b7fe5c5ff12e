import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitWords } from './splitWords.ts'

const words = (command: string): string[] | string => {
  const split = splitWords(command)
  return 'refused' in split ? split.refused : split.words
}

describe('splitWords', () => {
  it.each<[string, string[]]>([
    ['./server --port 80', ['./server', '--port', '80']],
    ['  a \t b\n c  ', ['a', 'b', 'c']],
    [`a "b c" 'd e'`, ['a', 'b c', 'd e']],
    [`a"b c"d'e f'g`, ['ab cde fg']],
    [`a "" ''`, ['a', '', '']],
    ['a\\ b c', ['a b', 'c']],
    [`"a\\"b" "c\\d" 'e\\f'`, ['a"b', 'c\\d', 'e\\f']],
    [`"it's"`, [`it's`]],
    ['a \\\n b', ['a', 'b']],
    ['a\\\nb', ['ab']],
    ['echo ${PORT} *', ['echo', '${PORT}', '*']],
    ['\\${PORT} "\\$X"', ['$${PORT}', '$$X']],
    ['', []],
    ['# not a comment', ['#', 'not', 'a', 'comment']],
  ])('%j', (command, expected) => {
    expect(words(command)).toEqual(expected)
  })

  it('refuses unclosed quotes, and reports where they are', () => {
    expect(words(`a 'b`)).toBe('the single quote at character 3 of the command is never closed')
    expect(words('a "b\\"')).toBe('the double quote at character 3 of the command is never closed')
    expect(words('a\\')).toContain('ends in a backslash')
  })

  it('reports words that only a shell would understand', () => {
    const sign = (command: string): string | null => {
      const split = splitWords(command)
      return 'refused' in split ? null : split.shellSign
    }
    expect(['a && b', 'a | b', 'a > f', 'a; b', 'a &', 'a 2>&1'].map(sign)).toEqual(['&&', '|', '>', 'a;', '&', '2>&1'])
    expect([`a '&&' b`, 'a "|" b', 'a-b', 'a;b=c'].map(sign)).toEqual([null, null, null, null])
  })

  it('splits as sh does', () => {
    // Letters, blanks, quotes and backslashes; characters that sh would expand or act upon are left out on purpose.
    const character = fc.constantFrom('a', 'b', ' ', '  ', "'", '"', '\\', '\n', '-')
    const commands = fc.sample(
      fc.string({ unit: character, maxLength: 12 }).filter((command) => {
        const split = splitWords(command)
        // A newline ends a command in sh, but only separates words here.
        return !('refused' in split) && !/(?<!\\)\n/.test(command)
      }),
      { numRuns: 300, seed: 20_261_121 },
    )
    const script = commands.map((command) => `set -- ${command}\nprintf '<%s>' "$@"; printf '\\0'\n`).join('')
    const said = execFileSync('sh', ['-c', script]).toString().split('\0')
    for (const [index, command] of commands.entries()) {
      const own = words(command) as string[] // the refused ones are filtered out above
      const shown = own.length === 0 ? '<>' : own.map((word) => `<${word}>`).join('')
      expect(shown, JSON.stringify(command)).toBe(said[index])
    }
  })
})
