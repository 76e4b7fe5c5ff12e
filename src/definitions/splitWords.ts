type Split = { words: string[]; shellSign: string | null } | { refused: string }

/** Unquoted words that have a meaning to a shell and none here. */
const shellSigns = /^(?:&&|\|\|?|;|&|\d?>{1,2}(?:&\d)?|<)$|;$/

/**
 * Splits a command as a POSIX shell splits words (2.2 Quoting): blanks separate, quotes and backslashes keep together,
 * and nothing is expanded. An escaped dollar stays a dollar: `\$` becomes `$$`, which becomes `$` when names are
 * replaced. `shellSign` is the first unquoted word that only a shell would understand.
 */
export function splitWords(command: string): Split {
  const words: string[] = []
  let shellSign: string | null = null
  let word: string | null = null
  let isPlain = true
  const finish = (): void => {
    if (word === null) return
    if (isPlain && shellSign === null && shellSigns.test(word)) shellSign = word
    words.push(word)
    word = null
    isPlain = true
  }
  for (let index = 0; index < command.length; index++) {
    const character = command.charAt(index)
    if (/\s/.test(character)) {
      finish()
      continue
    }
    if (character !== "'" && character !== '"' && character !== '\\') {
      word = (word ?? '') + character
      continue
    }
    isPlain = false
    const quoted = character === '\\' ? escaped(command, index) : quotation(command, index, character)
    if (quoted === null) return { refused: unbalanced(character, index) }
    if (character !== '\\' || quoted.text !== '' || word !== null) word = (word ?? '') + quoted.text
    index = quoted.end
  }
  finish()
  return { words, shellSign }
}

interface Quoted {
  text: string
  /** Index of its last character. */
  end: number
}

function escaped(command: string, index: number): Quoted | null {
  const next = command.charAt(index + 1)
  if (next === '') return null
  if (next === '\n') return { text: '', end: index + 1 }
  return { text: next === '$' ? '$$' : next, end: index + 1 }
}

function quotation(command: string, start: number, quote: string): Quoted | null {
  const parts: string[] = []
  for (let index = start + 1; index < command.length; index++) {
    const character = command.charAt(index)
    if (character === quote) return { text: parts.join(''), end: index }
    // Inside double quotes a backslash escapes only these characters.
    if (quote === '"' && character === '\\' && '$`"\\\n'.includes(command.charAt(index + 1) || ' ')) {
      const next = escaped(command, index)
      if (next === null) return null
      parts.push(next.text)
      index = next.end
    } else {
      parts.push(character)
    }
  }
  return null
}

function unbalanced(character: string, index: number): string {
  if (character === '\\') return 'the command ends in a backslash that escapes nothing'
  const name = character === '"' ? 'double' : 'single'
  return `the ${name} quote at character ${index + 1} of the command is never closed`
}
