import { connect } from 'node:net'

/** Most commands in one line to HAProxy: a line must fit in one of its buffers. */
const commandsAtOnce = 40

/** Workers of one HAProxy by process id. Old ones still have connections from before a reload. */
export interface Workers {
  current: number | null
  old: number[]
  /** Reloads that HAProxy itself gave up. */
  failedReloads: number
}

/**
 * Speaks to HAProxy's master process, and through it to any worker, old ones too (management guide, 9.4). One connection
 * for each line; HAProxy closes it after its answer.
 */
export class MasterSocket {
  readonly #path: string
  readonly #timeoutMs: number

  constructor(path: string, timeoutMs: number) {
    this.#path = path
    this.#timeoutMs = timeoutMs
  }

  async workers(): Promise<Workers> {
    return workersIn(await this.#exchange('show proc'))
  }

  /** Asks the master for a seamless reload; whether it took place only `workers` tells. */
  async reload(): Promise<void> {
    await this.#exchange('reload')
  }

  /** One command to one worker. An empty text means done; a worker that is gone answers nothing of use. */
  ask(worker: number, command: string): Promise<string> {
    return this.#exchange(`@!${worker} ${command}`)
  }

  /** Commands in order; what HAProxy said to them. */
  async tell(worker: number, commands: string[]): Promise<string> {
    let said = ''
    for (let at = 0; at < commands.length; at += commandsAtOnce) {
      const part = commands.slice(at, at + commandsAtOnce)
      said += await this.#exchange(part.map((command) => `@!${worker} ${command}`).join(';'))
    }
    return said.replaceAll(/\n{2,}/g, '\n').trim()
  }

  #exchange(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path)
      const chunks: Buffer[] = []
      const fail = (error: Error): void => {
        socket.destroy()
        reject(new Error(`HAProxy does not answer at ${this.#path} (${line.slice(0, 60)})`, { cause: error }))
      }
      socket.setTimeout(this.#timeoutMs, () => fail(new Error(`no answer within ${this.#timeoutMs} ms`)))
      socket.on('error', fail)
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.on('end', () => {
        socket.destroy()
        resolve(Buffer.concat(chunks).toString())
      })
      socket.end(`${line}\n`)
    })
  }
}

export function workersIn(text: string): Workers {
  const found: Workers = { current: null, old: [], failedReloads: Number(/\[failed: (\d+)\]/.exec(text)?.[1] ?? 0) }
  let part = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) part = line
    const [, pid] = /^(\d+)\s+worker\s/.exec(line) ?? []
    if (pid === undefined) continue
    if (part === '# old workers') found.old.push(Number(pid))
    else found.current = Number(pid)
  }
  return found
}
