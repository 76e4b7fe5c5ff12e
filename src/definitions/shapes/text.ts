import { nearest } from '../suggest.ts'
import { longestText, refuseNul } from './kept.ts'
import { refuse, type Refusal } from './refusal.ts'
import { isRefusal, scalar, type JsonSchema, type Shape } from './shape.ts'

/** A text that a pattern or a check accepts. Numbers and booleans must be quoted, as in the JSON Schema. */
export function text(about: {
  expects: string
  schema?: JsonSchema
  pattern?: RegExp
  check?: (written: string) => string | Refusal
}): Shape<string> {
  const { expects, pattern, check } = about
  const read = (written: string): string | Refusal => {
    if (written.includes('\0')) return refuse('holds a NUL character')
    if (written === '') return refuse(`is empty; expected ${expects}`)
    if (pattern && !pattern.test(written))
      return refuse(`"${clip(written)}" is not ${expects}`, repair(written, pattern))
    return check ? check(written) : written
  }
  return scalar<string>({
    expects,
    blank: '',
    schema: { type: 'string', ...(pattern ? { pattern: pattern.source } : { minLength: 1 }), ...about.schema },
    kept: {
      kind: 'text',
      least: 1,
      most: about.schema?.maxLength ?? longestText,
      ...(pattern ? { pattern } : {}),
      // The stored text is the one that reading returns, so reading it again changes nothing.
      refuse: (stored) => (read(stored) === stored ? null : `is not ${expects}`),
    },
    parse(written, type) {
      const found = read(written)
      if (type === 'string') return found
      const message = `expected ${expects}, found the ${type} ${written}`
      return isRefusal(found) ? refuse(message, found.suggestion) : refuse(`${message}; quote it`, `"${written}"`)
    },
  })
}

/** A text that is passed on unchanged, such as an environment value: plain numbers and booleans are meant as text. */
export function verbatim(expects: string): Shape<string> {
  return scalar<string>({
    expects,
    blank: '',
    schema: { type: ['string', 'number', 'boolean'] },
    kept: { kind: 'text', least: 0, most: longestText, refuse: refuseNul },
    parse: (written) => (written.includes('\0') ? refuse('holds a NUL character') : written),
  })
}

/** One word out of a few. */
export function choice<const T extends string>(words: readonly [T, ...T[]]): Shape<T> {
  const list = words.join(', ')
  return scalar<T>({
    expects: `one of ${list}`,
    blank: words[0],
    schema: { enum: words },
    kept: { kind: 'choice', words },
    parse(written) {
      const found = words.find((word) => word === written)
      return (
        found ?? refuse(`"${clip(written)}" is none of ${list}`, nearest(written, words) ?? prefixed(written, words))
      )
    },
  })
}

export const clip = (written: string): string => (written.length > 60 ? `${written.slice(0, 60)}…` : written)

/** `kill` and `TERM` mean `SIGKILL` and `SIGTERM`. */
function prefixed(written: string, words: readonly string[]): string | null {
  const end = written.toUpperCase()
  return end.length < 3 ? null : (words.find((word) => word.toUpperCase().endsWith(end)) ?? null)
}

/** The written text in lower case with dashes, if that matches the pattern. */
function repair(written: string, pattern: RegExp): string | null {
  if (written.length > 100) return null
  const tried = written
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_.]+/g, '-')
  return pattern.test(tried) ? tried : null
}
