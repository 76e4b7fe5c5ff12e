import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'

/*
 * The language of comments, messages and documents, as far as a program can judge it. A reader is tired and English may be
 * their third language: an active sentence with a concrete subject, and the field's standard words.
 */

/** Words that the field does not use, and the ones it does. */
const refused: Record<string, RegExp> = {
  'again (not "anew")': /\banew\b/i,
  'fix, repair (not "mend")': /\bmend(s|ed|ing)?\b/i,
  'privileged helper (not "root part")': /\broot part\b/i,
  'receives, learns (not "is told")': /\b(is|are|was|were|be|been|being) told\b/i,
  'on its own (not "of itself")': /\bof itself\b/i,
  'obeys, reacts to (not "heeds")': /\bheed(s|ed|ing)?\b/i,
  'not yet valid (not "of tomorrow")': /\bof tomorrow\b/i,
  'could not be downloaded, opened, … (not "be had")': /\b(be|been) had\b/i,
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== 'src/language.test.ts' && existsSync(join(root, file)))
const code = tracked.filter((file) => /\.(tsx?|mjs)$/.test(file)).map(readCode)
const documents = tracked.filter((file) => file.endsWith('.md') || /^docs\/.*\.(yaml|json)$/.test(file))

interface Text {
  /** `file:line`. */
  where: string
  text: string
}

interface Code {
  comments: Text[]
  messages: Text[]
}

function readCode(file: string): Code {
  const source = readFileSync(join(root, file), 'utf8')
  const { program, comments } = parseSync(file, source)
  const at = (offset: number): string => `${file}:${source.slice(0, offset).split('\n').length}`
  const isTest = file.includes('.test.') || /^(test|bench)\//.test(file)
  const messages: Text[] = []
  if (!isTest) visitStrings(program, (start, text) => messages.push({ where: at(start), text }))
  return {
    comments: joined(
      comments.map(({ start, value }) => ({ where: at(start), text: value.replaceAll(/^\s*\*+/gm, '') })),
    ),
    messages: messages.filter(({ text }) => / /.test(text)),
  }
}

/** Line comments below each other are one text. */
function joined(comments: Text[]): Text[] {
  const texts: (Text & { last: string })[] = []
  for (const { where, text } of comments) {
    const [file, line = '0'] = where.split(':')
    const before = texts.at(-1)
    if (before?.last === `${file}:${Number(line) - 1}`) {
      before.text += ` ${text.trim()}`
      before.last = where
    } else texts.push({ where, text: text.trim(), last: where })
  }
  return texts
}

function visitStrings(node: unknown, found: (start: number, text: string) => void): void {
  if (Array.isArray(node)) for (const one of node) visitStrings(one, found)
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return
  const { type, start, value } = node as { type?: string; start?: number; value?: unknown }
  if (type === 'ImportDeclaration') return
  if (type === 'Literal' && typeof value === 'string') found(start ?? 0, value)
  if (type === 'TemplateElement') found(start ?? 0, (value as { cooked: string }).cooked)
  for (const child of Object.values(node)) visitStrings(child, found)
}

/** A sentence that begins with "What" and is no question: its subject is a clause. */
const opensWithWhat = (text: string): boolean =>
  text.split(/(?<=[.:;?!])\s+/).some((sentence) => /^What(ever)? (?!.*\?$)/s.test(sentence.trim()))

function wordsRefused(texts: Text[]): string[] {
  return texts.flatMap(({ where, text }) =>
    Object.entries(refused).flatMap(([instead, pattern]) => (pattern.test(text) ? [`${where}: write ${instead}`] : [])),
  )
}

function complaints(texts: Text[]): string[] {
  return texts.flatMap(({ where, text }) => [
    ...wordsRefused([{ where, text }]),
    ...(opensWithWhat(text) ? [`${where}: a sentence opens with a clause "What …"`] : []),
  ])
}

describe('the language', () => {
  it('is plain in comments', () => {
    expect(complaints(code.flatMap(({ comments }) => comments))).toEqual([])
  })

  it('is plain in messages', () => {
    expect(complaints(code.flatMap(({ messages }) => messages))).toEqual([])
  })

  it('is plain in documents', () => {
    const lines = documents.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .map((text, index) => ({ where: `${file}:${index + 1}`, text })),
    )
    // A heading, or a cell of a table, may be a question without its mark.
    const isSentence = ({ text }: Text): boolean => !/^#|^\|/.test(text)
    expect([
      ...complaints(lines.filter(isSentence)),
      ...wordsRefused(lines.filter((line) => !isSentence(line))),
    ]).toEqual([])
  })

  it.each([
    ['What could not be ended is said', 1],
    ['It is told of it. What is left goes.', 2],
    ['What next?', 0],
    ['Reports what is left.', 0],
  ])('objects to "%s" %i times', (text, times) => {
    expect(complaints([{ where: 'x:1', text }])).toHaveLength(times)
  })
})
