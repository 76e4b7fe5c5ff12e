import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ReleaseSource } from '../api/views.ts'

const run = promisify(execFile)

/** Longest first line of a commit's message that is sent, in UTF-16 units. */
const subjectLength = 200
/** Without an answer in this time, the release is published without its commit. Milliseconds. */
const patienceMs = 5_000
const outputBytes = 1_048_576

/** Variables by which git would look at another repository than the folder's. */
const misleading = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX']

/**
 * The commit that a folder stands at; `null` where git, a work tree or a commit is missing, and for a folder that the
 * work tree ignores. Never rejects.
 */
export async function gitSource(folder: string, env: NodeJS.ProcessEnv): Promise<ReleaseSource | null> {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.includes(name)))
  const git = async (...args: string[]): Promise<string> => {
    // A file-system monitor would be a program that the repository names.
    const settings = ['-c', 'core.fsmonitor=false', '-c', 'log.showSignature=false']
    const before = [...settings, '--no-optional-locks', '-C', folder]
    const options = { env: { ...own, LC_ALL: 'C' }, timeout: patienceMs, maxBuffer: outputBytes }
    return (await run('git', [...before, ...args], options)).stdout
  }
  try {
    const isIgnored = await git('check-ignore', '--quiet', '.').then(
      () => true,
      () => false,
    )
    if (isIgnored) return null
    const [log, isDirty] = await Promise.all([
      git('log', '-1', `--format=%H%n%<(${subjectLength},trunc)%s`),
      git('status', '--porcelain', '--untracked-files=normal', '--', '.').then((text) => text !== '', isTooLong),
    ])
    const [commit = '', ...subject] = log.split('\n')
    if (!/^[0-9a-f]{40,64}$/.test(commit)) return null
    return { commit, subject: shortened(subject.join(' ').trim()), dirty: isDirty }
  } catch {
    return null
  }
}

/** So many changes that their names do not fit. */
function isTooLong(error: unknown): true {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return true
  throw error
}

const shortened = (text: string): string =>
  (text.length <= subjectLength ? text : `${text.slice(0, subjectLength - 1)}…`).toWellFormed()
