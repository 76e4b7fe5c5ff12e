import { isScalar, isSeq } from 'yaml'
import { splitWords } from '../splitWords.ts'
import { list } from './list.ts'
import { describeNode, type Shape } from './shape.ts'
import { verbatim } from './text.ts'

const mostWords = 1000
const words = list(verbatim('a word of the command'), { what: 'words', least: 1, most: mostWords })

/** A command as argv: a list of words, or one text that is split as a shell splits words. No shell runs. */
export const argv: Shape<string[]> = {
  schema: { anyOf: [{ type: 'string', minLength: 1 }, words.schema] },
  blank: [],
  read(raw, path, source) {
    const node = source.enter(raw, path)
    if (isSeq(node)) {
      const found = words.read(node, path, source)
      if (found[0] === '' && source.isSound(path)) source.problem([...path, 0], 'the program to run is an empty word')
      return found
    }
    if (!isScalar(node) || typeof node.value !== 'string') {
      source.problem(path, `expected a command (a text, or a list of words), found ${describeNode(node)}`)
      return []
    }
    const split = splitWords(node.value)
    if ('refused' in split) source.problem(path, split.refused)
    else if (node.value.includes('\0')) source.problem(path, 'holds a NUL character')
    else if (split.words.length === 0) source.problem(path, 'the command is empty')
    else if (split.words[0] === '') source.problem(path, 'the program to run is an empty word')
    else if (split.words.length > mostWords)
      source.problem(path, `has ${split.words.length} words; at most ${mostWords}`)
    else {
      if (split.shellSign !== null) {
        const list = JSON.stringify(['sh', '-c', node.value.trim()])
        const message = `no shell runs this: \`${split.shellSign}\` is handed to the program as a word`
        source.warn(path, message, { suggestion: list.length > 120 ? null : list })
      }
      return split.words
    }
    return []
  },
}
