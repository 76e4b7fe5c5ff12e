import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { OperatorError } from '../lib/operatorError.ts'

/** The rules that hold in one folder: its own file's, then those of the folders above. */
export interface IgnoreRules {
  /** `path` is relative to the root of the walk, with slashes. */
  ignores(path: string, isFolder: boolean): boolean
  /** The rules for a folder below: this one's and those that its own file adds. */
  enter(path: string): Promise<IgnoreRules>
}

export const ignoreNothing: IgnoreRules = { ignores: () => false, enter: () => Promise.resolve(ignoreNothing) }

const maxRuleFileBytes = 1024 * 1024

/**
 * What `.tandemignore`, else `.gitignore`, names; which of the two is decided at the root, and the files of that name in
 * subfolders add to it. `extra` patterns come first and may be undone by the files.
 */
export async function readIgnoreRules(root: string, extra: readonly string[] = []): Promise<IgnoreRules> {
  const own = await readRules(root, '.tandemignore')
  const name = own === null ? '.gitignore' : '.tandemignore'
  const rules = ignore().add(['.git', ...extra])
  const text = own ?? (await readRules(root, name))
  if (text !== null) rules.add(text)
  return new NestedRules(root, name, [{ base: '', rules }])
}

interface Layer {
  base: string
  rules: Ignore
}

class NestedRules implements IgnoreRules {
  readonly #root: string
  readonly #name: string
  readonly #layers: Layer[]

  /** The deepest layer first. */
  constructor(root: string, name: string, layers: Layer[]) {
    this.#root = root
    this.#name = name
    this.#layers = layers
  }

  ignores(path: string, isFolder: boolean): boolean {
    if (path === '.git' || path.endsWith('/.git')) return true
    for (const { base, rules } of this.#layers) {
      const below = base === '' ? path : path.slice(base.length + 1)
      const { ignored, unignored } = rules.test(isFolder ? `${below}/` : below)
      if (ignored || unignored) return ignored
    }
    return false
  }

  async enter(path: string): Promise<IgnoreRules> {
    const text = await readRules(join(this.#root, path), this.#name)
    if (text === null) return this
    return new NestedRules(this.#root, this.#name, [{ base: path, rules: ignore().add(text) }, ...this.#layers])
  }
}

async function readRules(folder: string, name: string): Promise<string | null> {
  let text: string
  try {
    text = await readFile(join(folder, name), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws no others
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null
    throw new Error(`cannot read ${join(folder, name)}`, { cause: error })
  }
  if (text.length <= maxRuleFileBytes) return text
  throw new OperatorError('E_RELEASE_CONTENT', 'a file of ignore rules is too large', {
    subject: join(folder, name),
    next: `keep it below ${maxRuleFileBytes} bytes`,
  })
}
