import type { Execution, JobSignals } from './job.ts'
import type { JobEnding, JobRecord } from './jobRecord.ts'

/** A job that somebody asked for. */
export interface JobRun {
  /** Resolves when the process runs, or is watched, or has run. Rejects with the error that kept it from starting. */
  started: Promise<Pick<Execution, 'streams'>>
  /** `null`: the agent ended first. Never rejects. */
  ended: Promise<JobEnding | null>
}

/** Why the runner itself ends a job. */
export type EndedBy = 'cancelled' | 'late' | 'interrupted'

/** A job that this agent runs or watches, or is about to start. */
export class LiveJob {
  record: JobRecord
  /** Whether this agent has recorded the start, or watches the process. */
  isBegun = false
  readonly run: JobRun
  readonly signals: JobSignals
  #stop = new AbortController()
  #started = Promise.withResolvers<Pick<Execution, 'streams'>>()
  #ended = Promise.withResolvers<JobEnding | null>()
  #endedBy: EndedBy | null = null
  #unblock: (() => void) | null = null

  constructor(record: JobRecord, leave: AbortSignal) {
    this.record = record
    this.signals = { stop: this.#stop.signal, leave }
    this.run = { started: this.#started.promise, ended: this.#ended.promise }
    this.#started.promise.catch(() => {}) // whoever awaits it gets the error
  }

  /** Why the runner ends this job; `null` while it does not. */
  get ends(): EndedBy | null {
    return this.#endedBy
  }

  get isBlocked(): boolean {
    return this.#unblock !== null
  }

  /** The first reason counts. */
  end(by: EndedBy): void {
    if (this.#endedBy !== null) return
    this.#endedBy = by
    this.#stop.abort(new Error(`it was ${words[by]} before it started`))
    this.retry()
  }

  started(execution: Execution): void {
    this.#started.resolve(execution)
  }

  failed(error: unknown): void {
    this.#started.reject(error)
  }

  over(how: JobEnding | null): void {
    this.#ended.resolve(how)
  }

  /** Resolves at the next `retry`. */
  async blocked(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#unblock = resolve
    await promise
  }

  retry(): void {
    this.#unblock?.()
    this.#unblock = null
  }
}

const words = { cancelled: 'cancelled', late: 'too late', interrupted: 'interrupted' } as const
