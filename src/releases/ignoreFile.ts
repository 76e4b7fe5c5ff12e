import { matchesWildcards, parseWildcards } from './wildcards.ts'

/** One line of an ignore file. All text is bytes, one character each (latin1): see `wildcards.ts`. */
interface IgnorePattern {
  /** With `!`: takes back in what an earlier one left out. */
  negated: boolean
  foldersOnly: boolean
  /** Against a name wherever it is, or, where a slash stands inside the pattern, against the path from the file's folder. */
  against: 'name' | 'path'
  matches: (text: string) => boolean
}

/** The patterns of an ignore file as git reads them (gitignore(5)), in the file's order. */
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
 * What the last pattern that matches says of `path` (relative to the file's folder, with slashes, as bytes); `null`: no
 * pattern does.
 */
export function verdictOf(patterns: readonly IgnorePattern[], path: string, isFolder: boolean): boolean | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const found = patterns.findLast(
    ({ foldersOnly, against, matches }) => (isFolder || !foldersOnly) && matches(against === 'name' ? name : path),
  )
  return found === undefined ? null : !found.negated
}

/** Spaces at the end count only behind a backslash. */
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

/** What stands before the first wildcard is compared at once: most patterns are no more than that. */
function matcher(pattern: string): (text: string) => boolean {
  const plain = /^[^*?[\\]*/.exec(pattern)?.[0] ?? ''
  const rest = pattern.slice(plain.length)
  if (rest === '') return (text) => text === plain
  const wildcards = parseWildcards(rest)
  return (text) => text.startsWith(plain) && matchesWildcards(wildcards, text.slice(plain.length))
}
