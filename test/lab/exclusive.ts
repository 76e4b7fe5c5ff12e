import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A lock that is released when its holder dies, also by a signal: util-linux's `flock` holds it for a child that reads
 * from this process, and that exits when this end of the pipe is closed.
 */
export interface Exclusive {
  release(): Promise<void>
}

/** Resolves with `null` if another process holds the lock and `waitMs` have passed. */
export async function exclusive(file: string, waitMs: number): Promise<Exclusive | null> {
  const wait = waitMs === 0 ? ['-n'] : ['-w', String(waitMs / 1000)]
  // The child has its own process group, so that a Ctrl-C at the terminal does not kill it before the cleanup.
  const child = spawn('flock', [...wait, '--no-fork', file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
  child.stdin.on('error', () => {}) // the child exited without the lock
  const ended = once(child, 'exit')
  child.stdin.write('.')
  const held = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!held) return null
  return {
    release: async () => {
      child.stdin.end()
      await ended
    },
  }
}
