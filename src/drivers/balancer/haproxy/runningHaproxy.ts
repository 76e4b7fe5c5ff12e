import { setTimeout as pause } from 'node:timers/promises'
import { guardSocket, shapeIn } from './haproxyConfig.ts'
import { HeldWorkers } from './heldWorkers.ts'
import type { HaproxyLimits } from './haproxySettings.ts'
import type { MasterSocket, Workers } from './masterSocket.ts'
import { heldWorkIn, type HeldWork } from './holds.ts'
import { runningServersIn, type RunningServer } from './runningServers.ts'
import { statisticsIn } from './statistics.ts'
import type { Reading } from './workCounts.ts'

/** The worker that takes new connections, with its current state. */
export interface RunningWorker {
  pid: number
  shape: string | null
  /** Files that the worker may open; `null`: as many as it requested. */
  openFiles: number | null
  servers: RunningServer[]
}

/** Of each worker, by process id. */
interface Answers<Answer> {
  workers: [current: number, ...old: number[]]
  answers: [number, Answer][]
}

/** Statistics of the workers that answered; `workers` lists all. */
interface Read {
  workers: [current: number, ...old: number[]]
  reading: Reading
}

/**
 * Statistics of frontends and backends, then those of servers. In this order, a request that moves on meanwhile is never
 * an answer of HAProxy's own (more answers of a backend than of its servers).
 */
const statistics = ['show stat -1 3 -1', 'show stat -1 4 -1']

/** Interval between looks while a reload is under way. */
const reloadLookMs = 10

/** Reads and changes HAProxy while it runs, over all its workers. */
export class RunningHaproxy {
  readonly #socket: MasterSocket
  readonly #limits: HaproxyLimits
  /** Old workers live until their last counts were read. */
  readonly held: HeldWorkers
  /** Old workers that have received the command to hand over. */
  readonly #retired = new Set<number>()
  /** Workers that did not receive the command, and since when. */
  readonly #stale = new Map<number, number>()

  /** `run`: the folder of HAProxy's own sockets. */
  constructor(socket: MasterSocket, limits: HaproxyLimits, run: string) {
    this.#socket = socket
    this.#limits = limits
    const { commandMs: timeoutMs, oldWorkerMs } = limits
    this.held = new HeldWorkers({ socket: `${run}/${guardSocket}`, timeoutMs, oldWorkerMs })
  }

  async look(): Promise<RunningWorker> {
    const pid = current(await this.#socket.workers())
    const info = await this.#socket.ask(pid, 'show info')
    const number = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(info)?.[1] ?? 0)
    const given = number('Ulimit-n')
    const openFiles = given >= number('Maxsock') ? null : given
    return { pid, shape: shapeIn(info), openFiles, servers: await this.servers(pid) }
  }

  /** Whether the master answers. */
  isUp(): Promise<boolean> {
    return this.#socket.workers().then(
      () => true,
      () => false,
    )
  }

  async servers(pid: number): Promise<RunningServer[]> {
    return runningServersIn(await this.#socket.ask(pid, 'show servers state'))
  }

  /** The frontends of the worker. */
  async frontends(pid: number): Promise<Set<string>> {
    const lines = statisticsIn(await this.#socket.ask(pid, 'show stat -1 1 -1'))
    return new Set(lines.map(({ proxy }) => proxy))
  }

  tell(pid: number, commands: string[]): Promise<string> {
    return this.#socket.tell(pid, commands)
  }

  ask(pid: number, command: string): Promise<string> {
    return this.#socket.ask(pid, command)
  }

  /** Sends the same command to every worker; workers that end meanwhile give no useful answer. */
  askAll(command: string): Promise<Answers<string>> {
    return this.#fromAll((pid) => this.#socket.ask(pid, command))
  }

  /** Statistics of all workers; workers that end meanwhile have nothing in flight any more. */
  async read(): Promise<Read> {
    return this.#read(await this.#fromAll((pid) => this.#socket.askTogether(pid, statistics)))
  }

  /** The same, and the work that they hold. */
  async readWithHeld(): Promise<Read & { held: HeldWork }> {
    const asked = await this.#fromAll((pid) => this.#socket.askTogether(pid, [...statistics, 'tandem held']))
    const held = heldWorkIn(asked.answers.map(([, texts]) => texts[statistics.length] ?? ''))
    return { ...(await this.#read(asked)), held }
  }

  async #read({ workers, answers }: Answers<string[]>): Promise<Read> {
    await this.held.hold(workers[0])
    const read = answers.map(([pid, texts]) => [pid, texts.flatMap(statisticsIn)] as const)
    return { workers, reading: new Map(read.filter(([, found]) => found.length > 0)) }
  }

  async #fromAll<Answer>(ask: (pid: number) => Promise<Answer>): Promise<Answers<Answer>> {
    const found = await this.#socket.workers()
    const workers: [number, ...number[]] = [current(found), ...found.old]
    return {
      workers,
      answers: await Promise.all(workers.map(async (pid): Promise<[number, Answer]> => [pid, await ask(pid)])),
    }
  }

  /**
   * A seamless reload: listeners pass from the old worker to the new worker, which runs when this resolves. The old
   * worker finishes its requests; once it has got the command of `retireOld`, it hands later requests of kept-alive
   * clients to the new worker.
   */
  async reload(shape: string): Promise<number> {
    const before = await this.#socket.workers()
    if (before.current !== null) await this.held.hold(before.current)
    await this.#socket.reload()
    const deadline = performance.now() + this.#limits.reloadMs
    while (performance.now() < deadline) {
      const now = await this.#socket.workers().catch(() => null)
      if (now !== null && now.failedReloads > before.failedReloads) throw new Error('HAProxy gave up the reload')
      if (now !== null && now.current !== null && now.current !== before.current) {
        if (shapeIn(await this.#socket.ask(now.current, 'show info')) === shape) return now.current
      }
      await pause(reloadLookMs)
    }
    throw new Error(`no new worker of HAProxy took over within ${this.#limits.reloadMs} ms`)
  }

  /**
   * Makes old workers hand over later requests. Called at each change: an agent that reloaded may have been killed
   * before it sent the command, or a person reloaded. Sending the command twice does no harm.
   */
  async retireOld(): Promise<void> {
    const { old } = await this.#socket.workers()
    for (const known of [this.#retired, this.#stale])
      for (const pid of known.keys()) if (!old.includes(pid)) known.delete(pid)
    for (const pid of old) {
      if (this.#retired.has(pid)) continue
      const said = await this.#socket.ask(pid, 'tandem retire').catch(() => '')
      if (said.startsWith('retired')) {
        this.#retired.add(pid)
        this.#stale.delete(pid)
      } else if (!this.#stale.has(pid)) this.#stale.set(pid, performance.now())
    }
  }

  /**
   * Waits for old workers that did not receive the command to hand over: until they are gone, or no kept-alive client
   * can be left.
   */
  async staleGone(): Promise<void> {
    while (this.#stale.size > 0) {
      await this.retireOld()
      const oldest = Math.min(...this.#stale.values())
      if (performance.now() - oldest > this.#limits.clientIdleMs) return
      if (this.#stale.size > 0) await pause(this.#limits.watchMs)
    }
  }

  /** Cuts sessions in every worker: all sessions whose line of `show sess` matches. */
  async cutSessions(matches: (line: string) => boolean): Promise<void> {
    const workers = await this.#socket.workers()
    for (const pid of [current(workers), ...workers.old]) {
      const lines = (await this.#socket.ask(pid, 'show sess')).split('\n').filter(matches)
      const ids = lines.flatMap((line) => /^(0x[0-9a-f]+):/.exec(line)?.[1] ?? [])
      await this.#socket.tell(
        pid,
        ids.map((id) => `shutdown session ${id}`),
      )
    }
  }
}

function current(workers: Workers): number {
  if (workers.current === null) throw new Error('HAProxy has no worker that takes connections')
  return workers.current
}
