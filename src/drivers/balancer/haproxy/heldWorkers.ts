import type { StatLine } from './statistics.ts'
import type { Reading } from './workCounts.ts'
import { WorkerSession } from './workerSession.ts'

interface Held {
  session: WorkerSession
  /** When it became an old worker, in ms; `null`: it takes new work. */
  oldSince: number | null
  /** It had no work at the last reading. */
  wasIdle: boolean
}

interface Options {
  /** The socket on which the worker that takes connections answers. */
  socket: string
  timeoutMs: number
  /** Longest time that an old worker is held. */
  oldWorkerMs: number
}

/** Holds every worker of HAProxy by a session, until its last counts were read. */
export class HeldWorkers {
  readonly #options: Options
  readonly #held = new Map<number, Held>()
  #isClosed = false

  constructor(options: Options) {
    this.#options = options
  }

  /** Old workers that wait for their last reading. */
  get old(): number {
    return [...this.#held.values()].filter(({ oldSince }) => oldSince !== null).length
  }

  /** Holds this worker, if it is the one that takes connections. Never rejects: only counts are lost without it. */
  async hold(worker: number): Promise<void> {
    if (this.#isClosed || this.#held.has(worker)) return
    const { socket, timeoutMs } = this.#options
    const session = await WorkerSession.open(socket, timeoutMs).catch(() => null)
    if (session === null) return
    if (this.#isClosed || this.#held.has(session.pid)) return session.close()
    this.#held.set(session.pid, { session, oldSince: null, wasIdle: false })
    session.onEnd(() => {
      if (this.#held.get(session.pid)?.session === session) this.#held.delete(session.pid)
    })
  }

  /**
   * All workers were read. Lets go of an old one that had no work at two readings: counts of its last request may have
   * come during the first. `at`: ms of one clock.
   */
  wereRead(reading: Reading, { current, workers }: { current: number; workers: readonly number[] }, at: number): void {
    for (const [pid, held] of this.#held) {
      const lines = reading.get(pid)
      if (pid === current) continue
      held.oldSince ??= at
      const isIdle = lines !== undefined && !lines.some(isBusy)
      const isLate = at - held.oldSince > this.#options.oldWorkerMs
      if (!workers.includes(pid) || isLate || (isIdle && held.wasIdle)) this.#letGo(pid, held)
      held.wasIdle = isIdle
    }
  }

  /** For ever: a session that a late reading opened would keep the agent from its end. */
  close(): void {
    this.#isClosed = true
    for (const [pid, held] of this.#held) this.#letGo(pid, held)
  }

  #letGo(pid: number, { session }: Held): void {
    this.#held.delete(pid)
    session.close()
  }
}

const isBusy = ({ server, sessions }: StatLine): boolean => server === 'FRONTEND' && sessions > 0
