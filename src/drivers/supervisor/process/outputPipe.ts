import { execFile } from 'node:child_process'
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

/**
 * A real pipe for a program's output. Node itself would give it a socket, and then programs that open /dev/stdout or
 * /dev/stderr (nginx, many start scripts) fail.
 */
export interface OutputPipe {
  /** For the child; `release` it once the child has it. */
  writeFd: number
  release(): void
  reader: Socket
}

/** Makes named pipes at these paths, opens both ends, and removes the names. */
export async function openOutputPipes(
  paths: string[],
  owner: { uid: number; gid: number } | undefined,
): Promise<OutputPipe[]> {
  for (const path of paths) rmSync(path, { force: true })
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { env: { PATH: '/usr/bin:/bin' } })
  return paths.map((path) => {
    // The reading end first and without waiting: then the writing end opens at once.
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writeFd = openSync(path, constants.O_WRONLY)
    // The program may open /dev/stdout afresh, so the pipe must be its user's.
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
    rmSync(path)
    const reader = new Socket({ fd: readFd, readable: true, writable: false })
    return { writeFd, reader, release: () => closeSync(writeFd) }
  })
}
