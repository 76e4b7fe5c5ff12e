import { isAlias, isCollection, isPair, parseAllDocuments, type Alias, type Document, type Node } from 'yaml'
import { DefinitionError, type Problem } from './problem.ts'
import type { SourceText } from './sourceText.ts'

/** No written definition comes near this size; parsing a hostile file of this size takes less than two seconds. */
export const largestFileBytes = 256 * 1024

export interface YamlDocument {
  root: Node
  aliases: Map<Alias, Node>
}

/**
 * The single YAML document of a file. Throws a `DefinitionError` for problems that make the rest unreadable: a file
 * that is too large or empty, NUL bytes, syntax errors (all of them), and a second document.
 */
export function openYaml(source: SourceText): YamlDocument {
  const { text } = source
  const early = earlyProblem(source)
  if (early !== null) throw new DefinitionError(source.file, [early])
  const parsed = parseAllDocuments(text, {
    // Keys stay the strings that people wrote, so that `yes: 1` or `1: x` is an unknown key like any other.
    stringKeys: true,
    // Checked while reading, with a set: the library compares each key with every other key.
    uniqueKeys: false,
    // `!!binary` and similar tags are errors, not objects.
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const documents: Document.Parsed[] = 'empty' in parsed ? [] : parsed
  refuseSyntax(documents, source)
  const [first, second] = documents
  if (second) {
    const message = 'a second YAML document starts here; the file may hold only one'
    throw new DefinitionError(source.file, [source.problemAt(second.range[0], message)])
  }
  const root = first?.contents ?? null
  if (root === null) throw new DefinitionError(source.file, [source.problemAt(0, emptyMessage)])
  return { root, aliases: text.includes('*') ? resolveAliases(root, source) : new Map<Alias, Node>() }
}

const emptyMessage = 'the file is empty; `tandem init` writes one to start from'

function earlyProblem(source: SourceText): Problem | null {
  const { text } = source
  const bytes = Buffer.byteLength(text)
  if (bytes > largestFileBytes) {
    return source.problemAt(0, `the file has ${bytes} bytes; at most ${largestFileBytes} (256 KiB) are allowed`)
  }
  const nul = text.indexOf('\0')
  if (nul !== -1) return source.problemAt(nul, 'the file holds a NUL byte; it must be plain UTF-8 text')
  if (text.trim() === '') return source.problemAt(0, emptyMessage)
  const directive = /^%/m.exec(text)
  if (directive === null) return null
  return source.problemAt(directive.index, 'a line may not start with %: YAML directives are not understood')
}

function refuseSyntax(documents: Document.Parsed[], source: SourceText): void {
  const problems: Problem[] = []
  const lines = new Set<number>()
  for (const { errors, warnings } of documents) {
    for (const { pos, message, code } of [...errors, ...warnings]) {
      const line = source.lineAt(pos[0])
      // After one mistake the parser reports further errors: the first error of a line is the helpful one.
      if (lines.has(line)) continue
      lines.add(line)
      const problem = source.problemAt(pos[0], syntaxMessage(code, message))
      problems.push({ ...problem, suggestion: quotedName(problem.lineText) })
    }
  }
  if (problems.length > 0) throw new DefinitionError(source.file, problems)
}

/** The most common mistake: in `[…]` and `{…}` YAML reads the brace of a bare `${NAME}` as a map. */
function quotedName(line: string): string | null {
  const bare = /[[{,:]\s*(\$\{[A-Za-z_]\w{0,60}\})/.exec(line)?.[1]
  return bare === undefined ? null : JSON.stringify(bare)
}

function syntaxMessage(code: string, message: string): string {
  const said = message.length > 200 ? `${message.slice(0, 200)}…` : message
  if (code === 'RESOURCE_EXHAUSTION' || message.includes('call stack')) return 'nested too deeply to be read'
  if (code === 'TAB_AS_INDENT') return 'a tab is used to indent; YAML allows only spaces'
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return 'not valid YAML: a second key in one value; indent the keys of a level equally, or quote a text that contains `: `'
  if (code === 'TAG_RESOLVE_FAILED') return `${said}; YAML tags are not needed here`
  return `not valid YAML: ${said}`
}

/**
 * The target of each alias: the latest preceding anchor of its name. Without recursion, because files may be hostile.
 */
function resolveAliases(root: Node, source: SourceText): Map<Alias, Node> {
  const problems: Problem[] = []
  const anchors = new Map<string, Node>()
  const aliases = new Map<Alias, Node>()
  const stack: unknown[] = [root]
  while (stack.length > 0) {
    const node = stack.pop()
    if (isPair(node)) {
      stack.push(node.value, node.key)
    } else if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target) aliases.set(node, target)
      else problems.push(source.problemAt(node.range?.[0] ?? 0, 'no anchor of this name stands before it'))
    } else {
      const anchored = node as Node | null // anything that is neither a pair nor an alias in a parsed tree
      if (anchored !== null && 'anchor' in anchored && anchored.anchor) anchors.set(anchored.anchor, anchored)
      if (isCollection(node)) for (const item of [...node.items].reverse()) stack.push(item)
    }
  }
  if (problems.length > 0) throw new DefinitionError(source.file, problems)
  return aliases
}
