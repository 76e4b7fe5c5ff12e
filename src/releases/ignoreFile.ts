import { matchesWildcards, parseWildcards } from './wildcards.ts'

/** One line of an ignore file. Text is bytes, one character each (latin1): see `wildcards.ts`. */
interface IgnorePattern {
  /** With `!`: includes names again that an earlier pattern excluded. */
  negated: boolean
  foldersOnly: boolean
  /**
   * `name` matches a name anywhere; `path`, for a pattern with a slash inside, matches the path from the file's folder.
   */
  against: 'name' | 'path'
  matches: (text: string) => boolean
}

/** Parses the patterns of an ignore file as git does (gitignore(5)), in the file's order. */
export function parseIgnoreFile(content: Uint8Array): IgnorePattern[] {
  const text = Buffer.from(content)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
  return text
    .split(/\r?\n|\r$/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => parsePattern(withoutTrailingSpaces(line.split('\0', 1)[0] ?? '')))
}

/**
 * The verdict of the last pattern that matches `path` (relative to the file's folder, with slashes, as bytes); `null`
 * if no pattern matches.
 */
export function verdictOf(patterns: readonly IgnorePattern[], path: string, isFolder: boolean): boolean | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const found = patterns.findLast(
    ({ foldersOnly, against, matches }) => (isFolder || !foldersOnly) && matches(against === 'name' ? name : path),
  )
  return found === undefined ? null : !found.negated
}

/** Spaces at the end count only after a backslash. */
function withoutTrailingSpaces(line: string): string {
  let end = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++
    if (line[at] !== ' ' || line[at - 1] === '\\') end = at + 1
  }
  return line.slice(0, end)
}

function parsePattern(line: string): IgnorePattern {
  const negated = line.startsWith('!')
  const signed = negated ? line.slice(1) : line
  const foldersOnly = signed.endsWith('/')
  const pattern = foldersOnly ? signed.slice(0, -1) : signed
  if (!pattern.includes('/')) return { negated, foldersOnly, against: 'name', matches: matcher(pattern) }
  return { negated, foldersOnly, against: 'path', matches: matcher(pattern.replace(/^\//, '')) }
}

/** The part before the first wildcard is compared directly: most patterns consist of nothing else. */
function matcher(pattern: string): (text: string) => boolean {
  const plain = /^[^*?[\\]*/.exec(pattern)?.[0] ?? ''
  const rest = pattern.slice(plain.length)
  if (rest === '') return (text) => text === plain
  const wildcards = parseWildcards(rest)
  return (text) => text.startsWith(plain) && matchesWildcards(wildcards, text.slice(plain.length))
}
