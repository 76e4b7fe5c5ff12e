import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ApiClient } from '../src/api/client.ts'
import { admitFile, keepTokens } from '../src/laptop/laptopTokens.ts'
import { partEnvironment } from '../src/lib/selfCommand.ts'
import { partFlagsIn } from '../src/lib/partFlags.ts'
import { machineNames } from '../test/inProcess/cluster.ts'
import { cpuSecondsIn } from './processCost.ts'

/** For `bench/fakeMachines.ts`; `folder`: the data folder of the controller. */
export interface FakeMachinesOptions {
  machines: number
  services: number
  folder: string
}

/** The controller that the machines belong to, and their tokens by name. */
export interface Connected {
  url: string
  tokens: Record<string, string>
}

const host = '127.0.0.1'

/**
 * A controller as it ships, in a process of its own, with machines in another process: real agents over fake drivers,
 * whose services all run and answer requests.
 */
export class PageCluster implements AsyncDisposable {
  readonly client: ApiClient
  readonly url: string
  readonly #controller: ChildProcess
  readonly #machines: ChildProcess
  readonly #folder: string

  /** `main`: the program as it ships (`bundle`). */
  static async start(main: string, size: { machines: number; services: number }): Promise<PageCluster> {
    const data = mkdtempSync(join(tmpdir(), 'tandem-bench-web-'))
    const folder = join(data, 'controller')
    mkdirSync(folder)
    const options: FakeMachinesOptions = { ...size, folder }
    const machines = fork(join(import.meta.dirname, 'fakeMachines.ts'), [JSON.stringify(options)])
    await told(machines)
    const { operator, agents } = keepTokens(data, machineNames(size.machines))
    const args = [
      '--cluster',
      'test',
      '--laptop',
      '--data',
      folder,
      '--host',
      host,
      '--port',
      '0',
      '--admit-file',
      admitFile(data),
    ]
    const controller = spawn(
      process.execPath,
      [...partFlagsIn(join(main, '../..')), main, 'controller', 'run', '--json', ...args],
      {
        env: { ...process.env, ...partEnvironment },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    )
    const { url } = (await told(controller)) as { url: string } // the message of a ready controller
    machines.send({ url, tokens: agents } satisfies Connected)
    const cluster = new PageCluster({ client: new ApiClient({ url, token: operator }), controller, machines, data })
    await cluster.#allServe(size)
    return cluster
  }

  private constructor(parts: { client: ApiClient; controller: ChildProcess; machines: ChildProcess; data: string }) {
    this.client = parts.client
    this.url = parts.client.endpoint.url
    this.#controller = parts.controller
    this.#machines = parts.machines
    this.#folder = parts.data
  }

  /** The address of the page. */
  get origin(): string {
    return `http://tandem.localhost:${new URL(this.url).port}`
  }

  /** The secret of a link that signs in once. */
  async link(): Promise<string> {
    return (await this.client.call('makeLink', { query: {} })).link
  }

  /** The key of a new session. */
  async session(): Promise<string> {
    const visitor = new ApiClient({ url: this.url, token: await this.link() })
    return (await visitor.call('startSession', {})).key
  }

  /** Seconds of CPU time that the controller has used. */
  get cpuSeconds(): number {
    return cpuSecondsIn(readFileSync(`/proc/${this.#controller.pid}/stat`, 'utf8'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#machines, this.#controller]) {
      const exited = once(child, 'exit')
      child.kill()
      await exited
    }
    rmSync(this.#folder, { recursive: true })
  }

  /** Waits until every instance is ready, and its numbers are known. */
  async #allServe({ machines, services }: { machines: number; services: number }): Promise<void> {
    for (;;) {
      const { services: all, cells } = await this.client.call('overview', {})
      const ready = all.flatMap(({ instances }) => instances.filter(({ state, stale }) => state === 'ready' && !stale))
      const known = Object.values(cells).filter(({ perSecond }) => perSecond !== null)
      if (ready.length === machines * services && known.length === ready.length) return
      await pause(500)
    }
  }
}

/** The next message of a process. */
async function told(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} ended before it was ready`)
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown] // the arguments of 'message'
  ended.catch(() => {}) // only the first message is waited for
  return message
}
