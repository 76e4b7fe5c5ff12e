import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
/** Stored data of a context: how to reach a cluster. */
export interface KnownCluster {
  url: string
  token: string
  /** The cluster's authority (PEM), if the controller's certificate is signed by that authority. */
  authority?: string | undefined
}
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { meantBy } from './meant.ts'
import { asOperatorError } from '../lib/asOperatorError.ts'

const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Clusters this user knows. Each has one file (mode 0600) with its token; another file names the current context. */
export class Contexts {
  readonly folder: string
  readonly #currentFile: string

  constructor(configFolder: string) {
    this.folder = join(configFolder, 'contexts')
    this.#currentFile = join(configFolder, 'current')
  }

  list(): string[] {
    try {
      return readdirSync(this.folder)
        .flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
        .sort()
    } catch (error) {
      if (isMissing(error)) return []
      throw asOperatorError(new Error(`cannot read the contexts in ${this.folder}`, { cause: error }))
    }
  }

  /** Throws `E_NO_CONTEXT` if no context has that name. */
  get(name: string): KnownCluster {
    const found = nameShape.test(name) ? readJson(this.#file(name)) : null
    if (found === null) throw this.#unknown(name)
    const { url, token, authority } = found as Partial<KnownCluster> // checked next
    if (typeof url === 'string' && typeof token === 'string') {
      return typeof authority === 'string' ? { url, token, authority } : { url, token }
    }
    throw new OperatorError('E_NO_CONTEXT', `the file of context ${name} has no valid url and token`, {
      subject: this.#file(name),
      next: `tandem context add ${name} --url URL --token-file FILE   writes the file again`,
    })
  }

  /** Throws `E_USAGE` for a name that `set` would refuse. */
  mustBeName(name: string): void {
    if (nameShape.test(name)) return
    throw new OperatorError('E_USAGE', `${name} is not a valid context name`, {
      subject: name,
      next: 'use letters, digits, dots, dashes and underscores, at most 64',
    })
  }

  set(name: string, { url, token, authority }: KnownCluster): void {
    this.mustBeName(name)
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    writeJsonDurably(this.#file(name), { url, token, authority })
  }

  remove(name: string): void {
    this.get(name)
    rmSync(this.#file(name))
    if (this.current() === name) rmSync(this.#currentFile, { force: true })
  }

  current(): string | null {
    try {
      return readFileSync(this.#currentFile, 'utf8').trim() || null
    } catch (error) {
      if (isMissing(error)) return null
      throw asOperatorError(new Error(`cannot read ${this.#currentFile}`, { cause: error }))
    }
  }

  use(name: string): void {
    this.get(name)
    writeFileSync(`${this.#currentFile}.new`, `${name}\n`, { mode: 0o600 })
    renameSync(`${this.#currentFile}.new`, this.#currentFile)
  }

  #file(name: string): string {
    return join(this.folder, `${name}.json`)
  }

  #unknown(name: string): OperatorError {
    const first = 'tandem up   starts a cluster on this computer; tandem context add NAME --url URL   adds a remote one'
    return new OperatorError('E_NO_CONTEXT', `there is no context ${name}`, {
      subject: name,
      next: meantBy(name, this.list(), { all: 'available', first }),
    })
  }
}

export interface Chosen extends KnownCluster {
  /** The context's name; `null` if the address comes from the environment. */
  context: string | null
  /** Fingerprint of the authority, if TANDEM_PIN gives it. */
  pin?: string
}

/**
 * Selects the cluster: `--context`, then TANDEM_URL with TANDEM_TOKEN (and TANDEM_PIN), then TANDEM_CONTEXT, then the
 * current context.
 */
export function chooseContext(contexts: Contexts, env: NodeJS.ProcessEnv, asked: string | undefined): Chosen {
  if (asked !== undefined) return { context: asked, ...contexts.get(asked) }
  const url = env['TANDEM_URL']
  const token = env['TANDEM_TOKEN']
  const pin = env['TANDEM_PIN']
  if (url && token) return { context: null, url, token, ...(pin ? { pin } : {}) }
  if (url) {
    throw new OperatorError('E_NO_CONTEXT', 'TANDEM_URL is set, but TANDEM_TOKEN is not', {
      subject: url,
      next: 'set both, or unset TANDEM_URL and use --context NAME',
    })
  }
  const named = env['TANDEM_CONTEXT'] || contexts.current()
  if (named) return { context: named, ...contexts.get(named) }
  const known = contexts.list()
  throw new OperatorError('E_NO_CONTEXT', 'no cluster was specified, and there is no current context', {
    next:
      known.length > 0
        ? `tandem context use ${known[0]}   selects a context; available: ${known.join(', ')}`
        : 'tandem up   starts a cluster on this computer; tandem context add NAME --url URL   adds a remote one',
  })
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
