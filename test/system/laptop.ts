import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { removeTree } from '../../src/releases/removeTree.ts'
import { CommandLine } from './commandLine.ts'

const root = join(import.meta.dirname, '../..')

/** Descriptors of this process, by their number in the command. */
type Inherited = Record<number, number>

interface Options {
  machines?: number
  port?: number
  main?: string
  inherited?: Inherited
  prepare?: (data: string) => void | Promise<void>
}

/** A cluster of `tandem up`, in its own folder below the checkout, with its CLI. */
export class Laptop extends CommandLine {
  readonly folder: string
  readonly entries: Record<string, string>
  readonly port: number
  #up: ChildProcess
  /** Environment of every process of this laptop. */
  readonly env: NodeJS.ProcessEnv
  #machines: number
  #main: string
  #entryPort: number
  #inherited: Inherited

  /**
   * `port`: of the controller, by default a free one. `main`: the program to run, by default that of the checkout. `inherited`: descriptors that every command inherits.
   * `prepare`: called first, with the data folder.
   */
  static async start({
    machines = 2,
    port: wanted,
    main = join(root, 'src/main.ts'),
    inherited = {},
    prepare = () => {},
  }: Options = {}): Promise<Laptop> {
    mkdirSync(join(root, 'tmp'), { recursive: true })
    const folder = mkdtempSync(join(root, 'tmp/laptop-'))
    const [port, entryPort] = [wanted ?? (await freePorts(1)), await freePorts(machines)]
    const laptop = new Laptop(folder, port, entryPort, machines, main, inherited)
    mkdirSync(join(folder, 'data'), { mode: 0o700 })
    await prepare(join(folder, 'data'))
    await laptop.up()
    return laptop
  }

  private constructor(
    folder: string,
    port: number,
    entryPort: number,
    machines: number,
    main: string,
    inherited: Inherited,
  ) {
    super()
    this.#main = main
    this.#inherited = inherited
    this.folder = folder
    this.port = port
    this.entries = {}
    this.env = {
      ...process.env,
      XDG_CONFIG_HOME: join(folder, 'config'),
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      NO_COLOR: '1',
      // The launcher does the same.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile'),
    }
    this.#machines = machines
    this.#entryPort = entryPort
    this.#up = null as unknown as ChildProcess // `up` sets this before any other use
  }

  get upProcess(): ChildProcess {
    return this.#up
  }

  /** Starts or restarts `tandem up`, and waits until all parts accept work. */
  async up(): Promise<void> {
    const args = ['up', '--json', '--machines', String(this.#machines), '--data', join(this.folder, 'data')]
    args.push('--port', String(this.port), '--entry-port', String(this.#entryPort))
    this.#up = this.#spawn(args)
    let err = ''
    this.#up.stderr?.on('data', (text) => {
      err += String(text)
    })
    for await (const line of createInterface({ input: this.#up.stdout ?? process.stdin })) {
      const said = JSON.parse(line) as { event?: string; entries?: Record<string, string>; error?: unknown } // documented
      if (said.event === 'ready') {
        Object.assign(this.entries, said.entries)
        return
      }
      if (said.error) throw new Error(`up failed: ${line}`)
    }
    throw new Error(`up ended before it was ready\n${err}`)
  }

  /** Stops `tandem up` and all its processes. */
  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#up.exitCode !== null || this.#up.signalCode !== null) return
    const exited = once(this.#up, 'exit')
    this.#up.kill(signal)
    await exited
  }

  async remove(): Promise<void> {
    await this.down()
    await removeTree(this.folder)
  }

  /** The pid of the controller or of a machine's agent, which `up` started. */
  pidOf(part: string): number {
    const list = readFileSync(`/proc/${this.#up.pid}/task/${this.#up.pid}/children`, 'utf8').trim().split(' ')
    for (const pid of list) {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const is = part === 'controller' ? args.includes('controller') : args.includes('agent') && args.includes(part)
      if (is) return Number(pid)
    }
    throw new Error(`no process of ${part} below ${this.#up.pid}`)
  }

  protected override begin(args: string[], input: 'none' | 'fed'): ChildProcess {
    return this.#spawn(args, input === 'fed' ? 'pipe' : 'ignore')
  }

  #spawn(args: string[], stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', this.#main, ...args], {
      env: this.env,
      stdio: withFiles(stdin, this.#inherited),
    })
  }
}

function withFiles(stdin: 'ignore' | 'pipe', inherited: Inherited): ('ignore' | 'pipe' | number)[] {
  const most = Math.max(2, ...Object.keys(inherited).map(Number))
  const more = Array.from({ length: most - 2 }, (_, index) => inherited[index + 3] ?? ('ignore' as const))
  return [stdin, 'pipe', 'pipe', ...more]
}

/** The first of `count` ports in a row that are free, below the ephemeral range. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const first = 10_000 + Math.floor(Math.random() * 9_000)
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)))
    if (free.every(Boolean)) return first
  }
  throw new Error('no free ports between 10000 and 19000')
}

/** Added to the ports of tcp routes on the second machine of a laptop. */
export const tcpOffset = 1_000

/**
 * A port for a tcp route on a laptop with two machines: no port of a test that runs beside (below 19000 and by
 * `freePorts`), of an instance (from 20000 on), or that the kernel gives to a connection (from 32768 on).
 */
export async function freeTcpRoute(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = 22_000 + Math.floor(Math.random() * 9_000)
    if ((await isFree(port)) && (await isFree(port + tcpOffset))) return port
  }
  throw new Error('no free ports between 22000 and 32000')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
  const free = await promise
  server.close()
  return free
}
