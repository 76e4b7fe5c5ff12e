import { connect, type Socket } from 'node:net'

const prompt = '\n> '

/**
 * A session on a worker's own socket, which the worker keeps until this side ends it. An old worker does not end before
 * its last session: so its counts can be read after its last request.
 */
export class WorkerSession {
  readonly pid: number
  readonly #socket: Socket

  /** Connects to the worker that listens at this path. Rejects if it does not answer in time. */
  static async open(path: string, timeoutMs: number): Promise<WorkerSession> {
    const socket = connect(path)
    try {
      await answerTo(socket, 'prompt', timeoutMs)
      // Otherwise HAProxy ends a silent session after 10 s; it takes no longer time than some days.
      await answerTo(socket, 'set timeout cli 1d', timeoutMs)
      const pid = Number(/^Pid: (\d+)/m.exec(await answerTo(socket, 'show info', timeoutMs))?.[1])
      if (!Number.isInteger(pid)) throw new Error(`a worker of HAProxy does not tell its process id at ${path}`)
      socket.on('error', () => {}) // the worker is gone: nothing is lost but the session
      socket.resume()
      return new WorkerSession(pid, socket)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  private constructor(pid: number, socket: Socket) {
    this.pid = pid
    this.#socket = socket
  }

  /** Called when the worker has ended the session, or has ended itself. */
  onEnd(listener: () => void): void {
    this.#socket.once('close', listener)
  }

  close(): void {
    this.#socket.destroy()
  }
}

function answerTo(socket: Socket, command: string, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  const hear = (chunk: Buffer): void => {
    text += chunk.toString()
    if (text.endsWith(prompt)) resolve(text)
  }
  const fail = (error?: Error): void => reject(new Error(`HAProxy does not answer to "${command}"`, { cause: error }))
  const ended = (): void => fail()
  const timer = setTimeout(fail, timeoutMs)
  socket.on('data', hear).on('error', fail).on('close', ended)
  socket.write(`${command}\n`)
  return promise.finally(() => {
    clearTimeout(timer)
    socket.off('data', hear).off('error', fail).off('close', ended)
  })
}
