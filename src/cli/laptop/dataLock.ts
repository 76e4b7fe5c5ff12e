import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../lib/makeFolder.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { identityOf, type ProcessIdentity } from './processIdentity.ts'
import { asOperatorError } from '../asOperatorError.ts'

/** Take-overs of a stale lock that another process was quicker at. */
const mostTries = 5

/** Keeps a data folder for this process: released by `release`, or by its end, however that comes. */
export class DataLock {
  readonly #path: string
  readonly #content: string

  private constructor(path: string, content: string) {
    this.#path = path
    this.#content = content
  }

  /** `E_DATA_LOCKED` names the process that holds it. */
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

/** Linking is atomic and never replaces. */
function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw asOperatorError(new Error(`cannot lock ${path}`, { cause: error }))
  }
}

/** Moved aside first: should it be a new holder's by now, it is put back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return // another was quicker
    throw asOperatorError(new Error(`cannot take over the lock ${path}`, { cause: error }))
  }
  if (readHolder(aside)?.text !== stale) tryLink(aside, path)
  rmSync(aside, { force: true })
}

interface Holder {
  text: string
  /** `null`: what is written there names no process. */
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
    return { text, holder: null } // half a file: its writer is dead, since it is linked whole
  }
}

function isAlive(holder: ProcessIdentity | null): holder is ProcessIdentity {
  return holder !== null && identityOf(holder.pid)?.startedAt === holder.startedAt
}

function locked(folder: string, { pid }: ProcessIdentity): OperatorError {
  return new OperatorError('E_DATA_LOCKED', `another tandem up (process ${pid}) uses this data folder`, {
    subject: folder,
    next: 'end that one with Ctrl-C, or give this one another folder: --data DIR',
  })
}
