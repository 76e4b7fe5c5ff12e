import { execFile } from 'node:child_process'
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

/**
 * A real pipe for one standard stream of a program. Node itself would pass a socket, and then programs that open
 * /dev/stdin, /dev/stdout or /dev/stderr (nginx, many start scripts) fail.
 */
export interface ProgramPipe {
  /** File descriptor for the child; `release` closes it here once the child has it. */
  childFd: number
  release(): void
  /** The agent's end of the pipe. */
  end: Socket
}

type Direction = 'in' | 'out'

/** Creates named pipes at these paths, opens both ends, and removes the names. */
export async function openProgramPipes(
  paths: readonly { path: string; direction: Direction }[],
  owner: { uid: number; gid: number } | undefined,
): Promise<ProgramPipe[]> {
  await makePipes(
    paths.map(({ path }) => path),
    '600',
  )
  return paths.map(({ path, direction }) => {
    const ours = ourEnd(path, direction)
    const childFd = openSync(path, direction === 'in' ? constants.O_RDONLY : constants.O_WRONLY)
    const end = ours.connected()
    // The program may open /dev/stdout again, so the pipe must belong to its user.
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
    rmSync(path)
    return { childFd, end, release: () => closeSync(childFd) }
  })
}

export async function makePipes(paths: readonly string[], mode: string): Promise<void> {
  for (const path of paths) rmSync(path, { force: true })
  await promisify(execFile)('mkfifo', ['-m', mode, ...paths], { env: { PATH: '/usr/bin:/bin' } })
}

/**
 * Opens the agent's end of a named pipe before the program's end, without waiting for that end. Call `connected` once
 * the program's end is open: until then a pipe without a reader cannot be opened for writing alone.
 */
export function ourEnd(path: string, direction: Direction): { connected: () => Socket; close: () => void } {
  const { O_RDONLY, O_RDWR, O_WRONLY, O_NONBLOCK } = constants
  if (direction === 'out') {
    const fd = openSync(path, O_RDONLY | O_NONBLOCK)
    return { connected: () => reader(fd), close: () => closeSync(fd) }
  }
  const held = openSync(path, O_RDWR | O_NONBLOCK)
  return {
    connected: () => {
      const fd = openSync(path, O_WRONLY | O_NONBLOCK)
      // Only the agent's descriptor is left: the program sees the end of its input when the agent closes it.
      closeSync(held)
      const end = new Socket({ fd, readable: false, writable: true })
      if (process.platform === 'linux') letOpenAgain(openSync(path, nameOnly), end)
      return end
    },
    close: () => closeSync(held),
  }
}

/** Linux's O_PATH, which `constants` lacks: names the file, and counts neither as a reader nor as a writer of a pipe. */
const nameOnly = 0o10_000_000
const openAgainMs = 100

/**
 * The kernel lets a program that opens a named pipe wait until a writer opens it too. A program that opens /dev/stdin
 * after the end of its input would wait for ever: so a writer opens and closes the pipe as long as it has a reader.
 */
function letOpenAgain(place: number, end: Socket): void {
  const { O_WRONLY, O_NONBLOCK } = constants
  end.once('close', () => {
    const timer = setInterval(() => {
      try {
        closeSync(openSync(`/proc/self/fd/${place}`, O_WRONLY | O_NONBLOCK))
      } catch (error) {
        // Without a reader there is nothing to do any more. Any other error, as of too many open files, passes.
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') return
        clearInterval(timer)
        closeSync(place)
      }
    }, openAgainMs)
    timer.unref()
  })
}

/** Node closes such a socket on its own only when its other side has ended too, and a pipe has no other side. */
function reader(fd: number): Socket {
  const socket = new Socket({ fd, readable: true, writable: false })
  socket.once('end', () => socket.destroy())
  return socket
}
