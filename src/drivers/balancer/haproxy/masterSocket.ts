import { connect } from 'node:net'

/** Most commands in one line to HAProxy: a line must fit in one of its buffers. */
const commandsAtOnce = 40

/** Workers of one HAProxy by process id. Old workers still have connections from before a reload. */
export interface Workers {
  current: number | null
  old: number[]
  /** Reloads that HAProxy itself gave up. */
  failedReloads: number
}

/**
 * Sends commands to the master process of HAProxy, and through the master to any worker, old workers too (management
 * guide, 9.4). Each line uses one connection; HAProxy closes the connection after its answer.
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

  /** Requests a seamless reload from the master; only `workers` shows whether it took place. */
  async reload(): Promise<void> {
    await this.#exchange('reload')
  }

  /** Sends one command to one worker. An empty answer means success; a worker that is gone gives no useful answer. */
  ask(worker: number, command: string): Promise<string> {
    return this.#exchange(`@!${worker} ${command}`)
  }

  /** The answer to each of a few commands; a worker that is gone gives no useful answers. */
  async askTogether(worker: number, commands: string[]): Promise<string[]> {
    const said = await this.#exchange(commands.map((command) => `@!${worker} ${command}`).join(';'))
    return said.split('\n\n')
  }

  /** Sends commands in order; resolves with the answers of HAProxy. */
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
