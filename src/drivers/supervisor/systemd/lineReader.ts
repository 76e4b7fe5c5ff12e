import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/**
 * Longest error output that is kept. The length of a line has no limit here; journald splits the output of a service at
 * 48 KiB.
 */
const errorBytes = 4096

/**
 * The lines that a program prints, read only as fast as the caller takes them. The program is stopped when the reader
 * leaves or aborts.
 */
export async function* linesOf([file = '', ...args]: string[], signal?: AbortSignal): AsyncGenerator<string> {
  if (signal?.aborted) return
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' }
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const ended = once(child, 'close')
  ended.catch(() => {}) // handled below
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-errorBytes)))
  const end = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', end)
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Infinity })
    await ended
    if (child.exitCode !== 0 && !signal?.aborted)
      throw new Error(`${file} ${args.join(' ')} ended with ${child.exitCode}: ${said.trim()}`)
  } finally {
    signal?.removeEventListener('abort', end)
    child.kill('SIGTERM')
    child.stdout.resume()
    await ended.catch(() => {})
  }
}
