import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Load, LoadResult } from '../system/load.ts'
import type { Lab } from './lab.ts'

/** The load of the laptop's tests, from the lab's client. */
export class ClientLoad {
  #child: ChildProcess
  #out = ''

  constructor(lab: Lab, options: ConstructorParameters<typeof Load>[0]) {
    const node = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'loadProcess.ts'),
    ]
    const [file = '', ...args] = lab.client.entering([...node, JSON.stringify(options)])
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (text) => {
      this.#out += String(text)
    })
  }

  async stop(): Promise<LoadResult> {
    const ended = once(this.#child, 'close')
    this.#child.stdin?.end()
    await ended
    return JSON.parse(this.#out) as LoadResult // one line, by loadProcess.ts
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
