import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../lib/operatorError.ts'
import { parseIgnoreFile, verdictOf } from './ignoreFile.ts'

/**
 * The rules for one folder: those of its own file first, then those of its parents. Paths are relative to the root of
 * the walk, with slashes.
 */
export interface IgnoreRules {
  /** Name of the files that are read. */
  readonly name: string
  /** `pathBytes` is a result of `asBytes`, also for a name that is not UTF-8. */
  ignores(pathBytes: string, isFolder: boolean): boolean
  /** The rules for a subfolder: those of this folder and those that the subfolder's own file adds. */
  enter(path: string): Promise<IgnoreRules>
}

export const ignoreNothing: IgnoreRules = {
  name: '',
  ignores: () => false,
  enter: () => Promise.resolve(ignoreNothing),
}

/** The bytes of a path, one character each: the form that git matches. */
export const asBytes = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1')

const maxRuleFileBytes = 1024 * 1024

/**
 * Reads the rules of `.tandemignore`, otherwise of `.gitignore`, exactly as git reads them, case-sensitive on every
 * system. The root decides which of the two names is used; files of that name in subfolders add rules. `onUnread` is
 * called for each `.gitignore` that is a symlink: git does not read those.
 */
export async function readIgnoreRules(root: string, onUnread: (path: string) => void): Promise<IgnoreRules> {
  const tandems: RuleFiles = { root, name: '.tandemignore', mayBeLink: true, onUnread }
  const content = await readRules(tandems, '')
  if (content !== null) return new NestedRules(tandems, [{ base: '', patterns: parseIgnoreFile(content) }])
  return new NestedRules({ root, name: '.gitignore', mayBeLink: false, onUnread }, []).enter('')
}

interface RuleFiles {
  root: string
  name: '.tandemignore' | '.gitignore'
  mayBeLink: boolean
  onUnread: (path: string) => void
}

interface Layer {
  /** Path of the folder, as bytes. */
  base: string
  patterns: ReturnType<typeof parseIgnoreFile>
}

class NestedRules implements IgnoreRules {
  readonly #files: RuleFiles
  readonly #layers: Layer[]

  /** The deepest layer comes first. */
  constructor(files: RuleFiles, layers: Layer[]) {
    this.#files = files
    this.#layers = layers
  }

  get name(): string {
    return this.#files.name
  }

  /** The deepest file with a matching pattern decides. Callers do not ask about paths below an excluded folder. */
  ignores(path: string, isFolder: boolean): boolean {
    if (path === '.git' || path.endsWith('/.git')) return true
    for (const { base, patterns } of this.#layers) {
      const verdict = verdictOf(patterns, base === '' ? path : path.slice(base.length + 1), isFolder)
      if (verdict !== null) return verdict
    }
    return false
  }

  async enter(path: string): Promise<IgnoreRules> {
    const content = await readRules(this.#files, path)
    if (content === null) return this
    return new NestedRules(this.#files, [{ base: asBytes(path), patterns: parseIgnoreFile(content) }, ...this.#layers])
  }
}

async function readRules({ root, name, mayBeLink, onUnread }: RuleFiles, folder: string): Promise<Buffer | null> {
  const path = join(root, folder, name)
  let content: Buffer
  try {
    if (!mayBeLink && (await lstat(path)).isSymbolicLink()) {
      onUnread(join(folder, name))
      return null
    }
    content = await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws only such errors
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null
    throw new Error(`cannot read ${path}`, { cause: error })
  }
  if (content.length <= maxRuleFileBytes) return content
  throw new OperatorError('E_RELEASE_CONTENT', 'a file with ignore rules is too large', {
    subject: path,
    next: `keep it below ${maxRuleFileBytes} bytes`,
  })
}
