import { readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EventView, RolloutView, Status } from '../../src/api/views.ts'
import { patienceMs } from '../../src/lib/testing/patience.ts'
import type { Command, CommandLine } from './commandLine.ts'

/** Polling interval: the state of another process offers no subscription. */
const lookEveryMs = 20

/** Calls `look` until it returns a value, and returns that value. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  let last: unknown
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline;) {
    try {
      const found = await look()
      if (found !== false && found !== undefined) return found
    } catch (error) {
      if (error instanceof TooLate) throw error
      last = error // not reached yet; becomes the cause of the timeout error
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
  throw new Error(`not reached within ${patienceMs} ms: ${what}`, { cause: last })
}

/** Thrown if the awaited state can no longer be reached. */
class TooLate extends Error {}

/** A controller on this computer whose tokens are in `data/tokens.json`. */
interface Cluster {
  folder: string
  port: number
}

/** Reads the state of a laptop's controller, without starting the CLI each time. */
export class Eyes {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  status(): Promise<Status> {
    return this.#get('/status')
  }

  async service(name: string): Promise<Status['services'][number]> {
    const found = (await this.status()).services.find(({ service }) => service === name)
    if (!found) throw new Error(`no service ${name}`)
    return found
  }

  rollout(id: string): Promise<RolloutView> {
    return this.#get(`/rollouts/${id}`)
  }

  async events(after = 0): Promise<EventView[]> {
    const text = await this.#text(`/events?after=${after}&follow=false`)
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => JSON.parse(json) as EventView) // as in the API
  }

  async #get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#text(path)) as T // the type in the API
  }

  async #text(path: string): Promise<string> {
    const { operator } = JSON.parse(readFileSync(join(this.#cluster.folder, 'data/tokens.json'), 'utf8'))
    const url = `http://127.0.0.1:${this.#cluster.port}/api/v1${path}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${operator}` } })
    if (!response.ok) throw new Error(`${path} answered ${response.status} ${await response.text()}`)
    return response.text()
  }
}

/** A running command of the CLI with `--json`. */
export class Following {
  readonly lines: string[] = []
  err = ''
  readonly #child: Command
  readonly #closed: Promise<number>

  constructor(laptop: CommandLine, ...args: string[]) {
    this.#child = laptop.spawn(...args, '--json')
    if (!this.#child.stdout) throw new Error('its output is not piped')
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line))
    this.#child.stderr?.on('data', (text) => {
      this.err += String(text)
    })
    this.#closed = once(this.#child, 'close').then(([code]) => Number(code))
  }

  /** The newest view of the rollout once `is` holds for it. */
  rollout(what: string, is: (rollout: RolloutView) => boolean): Promise<RolloutView> {
    return until(what, () => {
      const rollouts = this.lines.map((line) => JSON.parse(line) as { rollout?: RolloutView }) // the documented type
      const last = rollouts.findLast(({ rollout }) => rollout)?.rollout
      if (last && last.state !== 'running' && !is(last)) throw new TooLate(`it is ${last.state} already: ${what}`)
      return last && is(last) ? last : false
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Exit status and last printed object of the command. */
  async end<T = { rollout: RolloutView }>(): Promise<T & { exit: number }> {
    const exit = await this.#closed
    return { ...(JSON.parse(this.lines.at(-1) ?? '{}') as T), exit } // the caller names the documented type
  }
}

/** True if a machine of the rollout is in that phase now. */
export const isIn = ({ machines }: RolloutView, machine: string, phase: string): boolean =>
  machines.some((one) => one.machine === machine && one.phases.some((has) => has.phase === phase && !has.finishedAt))

/** True if that process runs. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false
    throw error
  }
}

/**
 * Processes whose environment contains all of these values: those a supervisor started, whatever their parent is by
 * now.
 */
export function processesOf(env: Record<string, string>): number[] {
  const wanted = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const has = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
        return wanted.every((one) => has.includes(one)) && isAlive(pid)
      } catch {
        return false // the process has ended meanwhile, or belongs to another user
      }
    })
}

/** Processes that name this folder in their arguments or environment: all processes of a laptop. */
export function processesNaming(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        const env = readFileSync(`/proc/${pid}/environ`, 'utf8')
        return (args.includes(folder) || env.includes(folder)) && isAlive(Number(pid)) ? [`${pid} ${args}`] : []
      } catch {
        return [] // the process has ended meanwhile, or belongs to another user
      }
    })
}
