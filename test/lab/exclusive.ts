import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A lock that its holder's death gives back, however it dies: util-linux's `flock` holds it for a child that reads from us,
 * and that ends when our end of the pipe is closed.
 */
export interface Exclusive {
  release(): Promise<void>
}

/** `null` when somebody else holds it and `waitMs` have passed. */
export async function exclusive(file: string, waitMs: number): Promise<Exclusive | null> {
  const wait = waitMs === 0 ? ['-n'] : ['-w', String(waitMs / 1000)]
  // Not killed by a Ctrl-C at the terminal that we want to clean up after: a group of its own.
  const child = spawn('flock', [...wait, '--no-fork', file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
  child.stdin.on('error', () => {}) // it ended without the lock
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
