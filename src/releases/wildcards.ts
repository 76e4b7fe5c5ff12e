/**
 * Wildcards as git matches them (gitignore(5), and wildmatch in git's own tests). All text is bytes, one character each
 * (latin1): in git, `?` matches one byte, and so do brackets.
 */
export type Wildcards = readonly Token[] | null

type Accepts = (byte: number) => boolean

type Token =
  | { kind: 'one'; accepts: Accepts }
  /** `*`: any text without a slash. */
  | { kind: 'star' }
  /** `**` at the end, or before an escaped slash: any text. */
  | { kind: 'all' }
  /**
   * `**` with the slash after it: nothing (the next token is then skipped), or whole folders, which the next token
   * matches.
   */
  | { kind: 'folders' }
  | { kind: 'insideFolders' }

const slash = 0x2f
const isNoSlash = (byte: number): boolean => byte !== slash

/**
 * Returns `null` for a pattern that matches nothing: a bracket is not closed or names no class, or the last byte is a
 * lone backslash.
 */
export function parseWildcards(text: string): Wildcards {
  const tokens: Token[] = []
  for (let at = 0; at < text.length;) {
    const read = readToken(text, at)
    if (read === null) return null
    tokens.push(read.token)
    if (read.token.kind === 'folders') tokens.push({ kind: 'insideFolders' })
    at = read.end
  }
  return tokens
}

interface Read {
  token: Token
  end: number
}

function readToken(text: string, at: number): Read | null {
  switch (text[at]) {
    case '*':
      return readStars(text, at)
    case '?':
      return { token: { kind: 'one', accepts: isNoSlash }, end: at + 1 }
    case '[':
      return readBracket(text, at)
    case '\\':
      return at + 1 < text.length ? literal(text, at + 1) : null
    default:
      return literal(text, at)
  }
}

function literal(text: string, at: number): Read {
  const wanted = text.charCodeAt(at)
  return { token: { kind: 'one', accepts: (byte) => byte === wanted }, end: at + 1 }
}

function readStars(text: string, at: number): Read {
  let end = at
  while (text[end] === '*') end++
  const isWhole = at === 0 || text[at - 1] === '/'
  if (end - at === 1 || !isWhole) return { token: { kind: 'star' }, end }
  if (end === text.length || text.startsWith('\\/', end)) return { token: { kind: 'all' }, end }
  return text[end] === '/' ? { token: { kind: 'folders' }, end: end + 1 } : { token: { kind: 'star' }, end }
}

const between = (first: string, last: string) => {
  const [low, high] = [first.charCodeAt(0), last.charCodeAt(0)]
  return (byte: number): boolean => byte >= low && byte <= high
}
const lower = between('a', 'z')
const upper = between('A', 'Z')
const digit = between('0', '9')
const graph = between('!', '~')
const alnum = (byte: number): boolean => lower(byte) || upper(byte) || digit(byte)
const isAnyOf = (bytes: string) => {
  const codes = new Set(Array.from(bytes, (one) => one.charCodeAt(0)))
  return (byte: number): boolean => codes.has(byte)
}

/** Classes for `[:NAME:]` between brackets; ASCII only, in any locale. */
const classes = new Map<string, Accepts>([
  ['alnum', alnum],
  ['alpha', (byte) => lower(byte) || upper(byte)],
  ['blank', isAnyOf(' \t')],
  ['cntrl', (byte) => byte < 0x20 || byte === 0x7f],
  ['digit', digit],
  ['graph', graph],
  ['lower', lower],
  ['print', between(' ', '~')],
  ['punct', (byte) => graph(byte) && !alnum(byte)],
  ['space', isAnyOf(' \t\n\r')],
  ['upper', upper],
  ['xdigit', isAnyOf('0123456789abcdefABCDEF')],
])

/** Reads from `[` to its `]`, which is an ordinary member if it comes first. */
function readBracket(text: string, open: number): Read | null {
  const negated = text[open + 1] === '!' || text[open + 1] === '^'
  const first = negated ? open + 2 : open + 1
  const members: Accepts[] = []
  let at = first
  let before: string | null = null // the start of a range if a `-` follows
  while (at === first || text[at] !== ']') {
    const member = readMember(text, at, before)
    if (member === null) return null
    members.push(member.accepts)
    ;[before, at] = [member.single, member.end]
  }
  const accepts = (byte: number): boolean => byte !== slash && members.some((member) => member(byte)) !== negated
  return { token: { kind: 'one', accepts }, end: at + 1 }
}

interface Member {
  accepts: Accepts
  /** The byte itself if the member is one byte and no range or class. */
  single: string | null
  end: number
}

function readMember(text: string, at: number, before: string | null): Member | null {
  const byte = text[at]
  if (byte === undefined) return null
  if (byte === '\\') return oneMember(text, at + 1)
  const next = text[at + 1]
  if (byte === '-' && before !== null && next !== undefined && next !== ']') return readRange(text, at + 1, before)
  if (byte === '[' && next === ':') return readClass(text, at)
  return oneMember(text, at)
}

function oneMember(text: string, at: number): Member | null {
  const byte = text[at]
  return byte === undefined ? null : { accepts: between(byte, byte), single: byte, end: at + 1 }
}

function readRange(text: string, at: number, first: string): Member | null {
  const last = oneMember(text, text[at] === '\\' ? at + 1 : at)
  return last && { accepts: between(first, last.single ?? ''), single: null, end: last.end }
}

/** Reads `[:alpha:]`; if there is no `:]` before the next bracket, the `[` is a member on its own. */
function readClass(text: string, at: number): Member | null {
  const close = text.indexOf(']', at + 2)
  if (close < 0) return null
  if (close === at + 2 || text[close - 1] !== ':') return oneMember(text, at)
  const accepts = classes.get(text.slice(at + 2, close - 1))
  return accepts ? { accepts, single: null, end: close + 1 } : null
}

/** Takes at most the pattern's length times the text's, no matter in how many ways they could match. */
export function matchesWildcards(tokens: Wildcards, text: string): boolean {
  if (tokens === null) return false
  let [last, end] = [tokens.length, text.length]
  // Compares from the end first: that distinguishes most names.
  for (let token = tokens[last - 1]; token?.kind === 'one'; token = tokens[last - 1]) {
    if (end === 0 || !token.accepts(text.charCodeAt(end - 1))) return false
    last--
    end--
  }
  if (last === 0) return end === 0
  if (last === 1 && tokens[0]?.kind === 'star') return !text.slice(0, end).includes('/')
  return reachesEnd(tokens.slice(0, last), text.slice(0, end))
}

/** Follows all possible matches at once. */
function reachesEnd(tokens: readonly Token[], text: string): boolean {
  let states = new Set<number>()
  reach(tokens, 0, states)
  for (let at = 0; at < text.length && states.size > 0; at++) {
    const next = new Set<number>()
    for (const state of states) step(tokens, state, text.charCodeAt(at), next)
    states = next
  }
  return states.has(tokens.length)
}

function step(tokens: readonly Token[], state: number, byte: number, next: Set<number>): void {
  const token = tokens[state]
  switch (token?.kind) {
    case 'one':
      if (token.accepts(byte)) reach(tokens, state + 1, next)
      break
    case 'star':
      if (byte !== slash) reach(tokens, state, next)
      break
    case 'all':
      reach(tokens, state, next)
      break
    case 'insideFolders':
      next.add(state)
      if (byte === slash) reach(tokens, state + 1, next)
      break
    case 'folders': // left by `reach`
    case undefined: // the pattern ended before the text
      break
  }
}

/** Adds a state and the states that follow it without reading a byte. */
function reach(tokens: readonly Token[], state: number, states: Set<number>): void {
  if (states.has(state)) return
  states.add(state)
  const kind = tokens[state]?.kind
  if (kind === 'star' || kind === 'all' || kind === 'folders') reach(tokens, state + 1, states)
  if (kind === 'folders') reach(tokens, state + 2, states)
}
