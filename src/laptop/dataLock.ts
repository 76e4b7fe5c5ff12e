import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { identityOf, type ProcessIdentity } from './processIdentity.ts'
import { asOperatorError } from '../lib/asOperatorError.ts'

/** Maximum number of attempts to take over a stale lock while other processes are faster. */
const mostTries = 5

/** Locks a data folder for this process, until `release` or the end of the process, also after a crash. */
export class DataLock {
  readonly #path: string
  readonly #content: string

  private constructor(path: string, content: string) {
    this.#path = path
    this.#content = content
  }

  /** Throws `E_DATA_LOCKED`, which names the process that holds the lock. */
  static take(folder: string): DataLock {
    makeFolder(folder)
    const path = join(folder, 'up.lock')
    const content = `${JSON.stringify(identityOf(process.pid))}\n`
    const own = `${path}.${process.pid}`
    writeFileSync(own, content, { mode: 0o600 })
    try {
      for (let tries = 0; tries < mostTries; tries++) {
        if (tryLink(own, path)) return new DataLock(path, content)
        const held = readHolder(path)
        if (held && isAlive(held.holder)) throw locked(folder, held.holder)
        if (held) takeAway(path, held.text)
      }
      throw new OperatorError('E_DATA_LOCKED', `other processes take the lock ${path} again and again`, {
        subject: folder,
        next: 'run one tandem up at a time for a data folder',
      })
    } finally {
      rmSync(own, { force: true })
    }
  }

  release(): void {
    if (readHolder(this.#path)?.text === this.#content) rmSync(this.#path, { force: true })
  }
}

/** Creates the lock by link(2), which is atomic and never replaces a file. */
function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw asOperatorError(new Error(`cannot lock ${path}`, { cause: error }))
  }
}

/** Removes a stale lock. Moves the file aside first, and restores it if it belongs to a new holder by now. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return // another process was faster
    throw asOperatorError(new Error(`cannot take over the lock ${path}`, { cause: error }))
  }
  if (readHolder(aside)?.text !== stale) tryLink(aside, path)
  rmSync(aside, { force: true })
}

interface Holder {
  text: string
  /** `null`: the content of the file names no process. */
  holder: ProcessIdentity | null
}

function readHolder(path: string): Holder | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw asOperatorError(new Error(`cannot read the lock ${path}`, { cause: error }))
  }
  try {
    const value = JSON.parse(text) as Partial<ProcessIdentity> | null // checked next
    const { pid, startedAt } = value ?? {}
    return { text, holder: typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : null }
  } catch {
    return { text, holder: null } // an incomplete file: its writer is dead, because a writer links only complete files
  }
}

function isAlive(holder: ProcessIdentity | null): holder is ProcessIdentity {
  return holder !== null && identityOf(holder.pid)?.startedAt === holder.startedAt
}

function locked(folder: string, { pid }: ProcessIdentity): OperatorError {
  return new OperatorError('E_DATA_LOCKED', `another tandem up (process ${pid}) uses this data folder`, {
    subject: folder,
    next: 'stop the other tandem up with Ctrl-C, or use another folder: --data DIR',
  })
}
