import { isScalar, isSeq, parseDocument } from 'yaml'
import { refuseEnvironmentName } from '../names.ts'
import { splitWords } from '../splitWords.ts'
import type { Path, YamlSource } from '../yamlSource.ts'
import { list } from './list.ts'
import { describeNode, type Shape } from './shape.ts'
import { clip, verbatim } from './text.ts'

const mostWords = 1000
const words = list(verbatim('a word of the command'), { what: 'words', least: 1, most: mostWords })

/** A command as argv: a list of words, or one text that is split into words as a shell does it. No shell runs. */
export const argv: Shape<string[]> = {
  schema: { anyOf: [{ type: 'string', minLength: 1 }, words.schema] },
  kept: words.kept,
  blank: [],
  store: (argv) => argv,
  read(raw, path, source) {
    const node = source.enter(raw, path)
    if (isSeq(node)) {
      const found = words.read(node, path, source)
      if (found[0] === '' && source.isSound(path)) source.problem([...path, 0], 'the program to run is an empty word')
      if (isAssignment(found[0])) refuseAssignment(found[0], [...path, 0], source)
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
    else if (isAssignment(split.words[0]))
      refuseAssignment(split.words[0], path, source, withoutAssignments(node.value))
    else if (split.words.length > mostWords)
      source.problem(path, `has ${split.words.length} words; at most ${mostWords}`)
    else {
      if (split.shellSign !== null) {
        const list = JSON.stringify(['sh', '-c', node.value.trim()])
        const message = `no shell runs this: \`${split.shellSign}\` is passed to the program as a word`
        source.warn(path, message, { suggestion: list.length > 120 ? null : list })
      }
      return split.words
    }
    return []
  },
}

const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s

const isAssignment = (word: string | undefined): word is string => word !== undefined && assignment.test(word)

/** `PORT=80 node server.js`: only a shell would treat the first word as an environment variable. */
function refuseAssignment(word: string, path: Path, source: YamlSource, suggestion: string | null = null): void {
  const [, name = '', value = ''] = assignment.exec(word) ?? []
  const instead = refuseEnvironmentName(name) ?? `write it under \`env\`, as ${name}: ${clip(JSON.stringify(value))}`
  const message = `\`${clip(word)}\` is an assignment, not a program, and no shell runs this; ${instead}`
  source.problem(path, message, { part: word, suggestion })
}

/** The command without its assignments, as it would be written; `null` where quotes make that hard to determine. */
function withoutAssignments(command: string): string | null {
  const rest = /^\s*(?:[A-Za-z_][A-Za-z0-9_]*=[^\s'"\\]*\s+)+(.*)$/s.exec(command)?.[1]?.trim() ?? ''
  if (rest === '' || rest.length > 120 || isAssignment(rest)) return null
  const split = splitWords(rest)
  if ('refused' in split || split.words.length === 0 || isAssignment(split.words[0])) return null
  return isPlain(rest) ? rest : JSON.stringify(rest)
}

/** Whether YAML would read this text unchanged without quotes. */
function isPlain(text: string): boolean {
  const { contents, errors } = parseDocument(text)
  return errors.length === 0 && isScalar(contents) && contents.value === text
}
