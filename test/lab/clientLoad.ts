import type { Load, LoadResult } from '../system/load.ts'
import { ClientProcess } from './clientProcess.ts'
import type { Lab } from './lab.ts'

/** An upload takes two seconds at any size. Large ones cost processors, so one suite sends them: `pair.suite.ts`. */
const uploadBytes = 2_000_000

/** The same load as in the laptop's tests, from the lab's client, with smaller uploads. */
export class ClientLoad {
  readonly #process: ClientProcess

  constructor(lab: Lab, options: ConstructorParameters<typeof Load>[0]) {
    this.#process = new ClientProcess(lab, 'loadProcess.ts', { uploadBytes, ...options })
  }

  async stop(): Promise<LoadResult> {
    return JSON.parse(await this.#process.stop()) as LoadResult // one line, by loadProcess.ts
  }

  kill(): void {
    this.#process.kill()
  }
}
