import type { Logger } from 'pino'
import { alreadyRunning } from '../../drivers/supervisor/startRefusal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { LateWrites } from '../lateWrites.ts'
import type { Problems } from '../problems.ts'
import type { Execution, JobKind, LeftJob, ProcessEnd } from './job.ts'
import { ending, type EndedRecord, type JobEnding, type JobRecord } from './jobRecord.ts'
import type { JobRecords } from './jobRecords.ts'
import { LiveJob, type JobRun } from './liveJob.ts'

export interface JobParts {
  records: JobRecords
  /** Identifies the start of the machine (boot); empty where the agent cannot know. */
  mark: () => string
  clock: Clock
  problems: Problems
  lateWrites: LateWrites
  logger: Logger
  /** Called when a job that has a record ends. */
  changed: () => void
}

export interface AskedJob<Work> {
  id: string
  work: Work
  /** Time limit in milliseconds, the gathering before the start included; then the process is stopped. */
  withinMs?: number
  /** Cancels the job when it aborts. */
  signal?: AbortSignal
}

/** Runs the jobs of one kind, each once: see job.ts. Never rejects; the end of each job tells how it went. */
export class JobRunner<Work> {
  #kind: JobKind<Work>
  #parts: JobParts
  #live = new Map<string, LiveJob>()
  #unforgotten = new Set<EndedRecord>()
  #leave = new AbortController()

  /** Ends the jobs that an earlier agent left, as far as their kind can tell how they ended. */
  constructor(kind: JobKind<Work>, parts: JobParts) {
    this.#kind = kind
    this.#parts = parts
    for (const record of this.records()) {
      const left = this.#leftOf(record)
      if (left !== null && typeof left !== 'string') this.#end(record, left)
    }
  }

  /** The job that changed last is at the end. */
  records(): JobRecord[] {
    return this.#parts.records.of(this.#kind.name)
  }

  find(id: string): JobRecord | null {
    return this.#parts.records.find(this.#kind.name, id)
  }

  /** Ids of the jobs that this agent runs or watches, or is about to start. */
  running(): string[] {
    return [...this.#live.keys()]
  }

  /**
   * Runs a job. With an id that is known it joins that job: an id is used once. Throws if the job cannot be accepted:
   * the agent ends, the disk is full, or somebody else owns the streams of a running job.
   */
  run(asked: AskedJob<Work>): JobRun {
    const { id } = asked
    if (this.#leave.signal.aborted) throw new Error(`the agent ends: ${id} is not started`)
    const live = this.#live.get(id)
    if (live) {
      if (this.#kind.record.on === 'memory') throw alreadyRunning(id)
      return live.run
    }
    const known = this.find(id)
    if (known?.state === 'ended') return { started: Promise.resolve({}), ended: Promise.resolve(known.ending) }
    return this.#take(asked, this.#accepted(asked, known)).run
  }

  /** Ends a job, or keeps it from starting. An id that does not run is no error. */
  cancel(id: string): void {
    this.#live.get(id)?.end('cancelled')
  }

  /** Records the end of a job that this agent will not run. */
  settle({ id, work }: Pick<AskedJob<Work>, 'id' | 'work'>, how: JobEnding): void {
    if (this.#live.has(id)) throw new Error(`job ${id} runs: only its end can settle it`)
    this.#end(this.find(id) ?? this.#fresh(id, work), how)
    this.#parts.changed()
  }

  /** Tries again to start the jobs whose start could not be recorded. */
  retry(): void {
    for (const live of this.#live.values()) live.retry()
  }

  /**
   * Resolves when every process that does not outlive the agent has ended. A job that has not started stays accepted.
   * Writes that fail now are lost.
   */
  async close(): Promise<void> {
    this.#leave.abort()
    const live = [...this.#live.values()]
    if (!this.#kind.outlivesAgent) for (const one of live) one.end('interrupted')
    else for (const one of live) one.retry()
    await Promise.all(live.flatMap(({ run, isBegun }) => (isBegun ? [run.ended] : [])))
  }

  /** Puts the record of a job that is asked for, or of one that an earlier agent left, in its place. */
  #accepted({ id, work }: AskedJob<Work>, known: JobRecord | null): JobRecord {
    const { kind, records } = { kind: this.#kind, records: this.#parts.records }
    const record = known ? { ...known, about: kind.about(work) } : this.#fresh(id, work)
    if (kind.record.on === 'disk' && kind.record.from === 'accepted' && !known) records.commit(record)
    else if (kind.record.on === 'disk') records.put(record)
    return record
  }

  #fresh(id: string, work: Work): JobRecord {
    const kind = this.#kind
    return { state: 'accepted', kind: kind.name, id, about: kind.about(work), acceptedAt: this.#time() }
  }

  #take(asked: AskedJob<Work>, record: JobRecord): LiveJob {
    const live = new LiveJob(record, this.#leave.signal)
    this.#live.set(asked.id, live)
    const cancel = (): void => live.end('cancelled')
    asked.signal?.addEventListener('abort', cancel)
    if (asked.signal?.aborted) cancel()
    const late = (): void => live.end('late')
    const stopTimer = asked.withinMs === undefined ? () => {} : this.#parts.clock.after(asked.withinMs, late)
    void this.#conduct(live, asked).then((how) => {
      stopTimer()
      asked.signal?.removeEventListener('abort', cancel)
      this.#live.delete(asked.id)
      if (how && this.#kind.record.on === 'disk') {
        this.#end(live.record, how)
        this.#parts.changed()
      }
      live.over(how)
    })
    return live
  }

  /** Returns how the job ended; `null` if the agent ended first. Never rejects. */
  async #conduct(live: LiveJob, asked: AskedJob<Work>): Promise<JobEnding | null> {
    const { logger, problems } = this.#parts
    const { name, whyNot = wordsOf } = this.#kind
    let execution: Execution
    try {
      execution = await this.#begin(live, asked)
    } catch (error) {
      live.failed(error)
      if (this.#leave.signal.aborted && (!live.isBegun || this.#kind.outlivesAgent)) return null
      if (live.ends === null) logger.warn({ err: error, job: asked.id }, `could not run ${name}`)
      return live.ends ? ending(live.ends, wordsOf(live.signals.stop.reason)) : ending('notStarted', whyNot(error))
    } finally {
      if (![...this.#live.values()].some((one) => one.isBlocked)) problems.solved(name)
    }
    live.started(execution)
    try {
      const end = await execution.ended
      return end && endingOf(end, live, asked.withinMs)
    } catch (error) {
      logger.warn({ err: error, job: asked.id }, `could not find out how ${name} ended`)
      return ending('unknown', wordsOf(error))
    }
  }

  async #begin(live: LiveJob, { id, work }: AskedJob<Work>): Promise<Execution> {
    const kind = this.#kind
    if (kind.watch && this.#leftOf(live.record) === 'watch') {
      live.isBegun = true
      return kind.watch(id, work, live.signals)
    }
    await Promise.resolve() // whoever asks may still cancel, before anything is done
    for (;;) {
      throwIfOver(live)
      const ready = await kind.ready(id, work, live.signals.stop)
      try {
        throwIfOver(live)
        this.#recordStart(live)
      } catch (error) {
        ready.release()
        if (isOver(live) || kind.record.on === 'memory' || kind.record.ifUnwritten === 'fail') throw error
        this.#parts.problems.add(kind.name, error)
        await live.blocked()
        continue
      }
      return ready.start(live.signals)
    }
  }

  /** Writes first: if the write fails, nothing may start. */
  #recordStart(live: LiveJob): void {
    const { kind, id, about, acceptedAt } = live.record
    const record: JobRecord = {
      ...{ kind, id, about, acceptedAt },
      ...{ state: 'started', startedAt: this.#time(), mark: this.#parts.mark() },
    }
    if (this.#kind.record.on === 'disk') this.#parts.records.commit(record)
    live.record = record
    live.isBegun = true
  }

  #end(record: JobRecord, how: JobEnding): void {
    const { record: policy, name } = this.#kind
    if (policy.on === 'memory') return
    const { kind, id, about, acceptedAt } = record
    const began = record.state === 'started' ? { startedAt: record.startedAt, mark: record.mark } : never
    const ended: EndedRecord = {
      ...{ kind, id, about, acceptedAt, ...began },
      ...{ state: 'ended', endedAt: this.#time(), ending: how },
    }
    const { records, lateWrites } = this.#parts
    records.put(ended)
    records.bound(name, policy.kept, (one) => this.#live.has(one))
    this.#unforgotten.add(ended)
    lateWrites.write(policy.result, () => {
      records.save()
      void this.#forget()
    })
  }

  /** Called once the ends are on disk: if this agent is killed before, the next agent must ask how the job ended. */
  async #forget(): Promise<void> {
    const ended = [...this.#unforgotten]
    this.#unforgotten.clear()
    for (const record of ended) {
      try {
        await this.#kind.forget?.(record)
      } catch (error) {
        this.#parts.logger.warn({ err: error, job: record.id }, `could not remove the rest of a ${record.kind}`)
      }
    }
  }

  /** `null` for a job that has not started, or has ended. */
  #leftOf(record: JobRecord): LeftJob | null {
    if (record.state !== 'started') return null
    const mark = this.#parts.mark()
    return this.#kind.left(record, mark === '' || record.mark === mark)
  }

  #time(): string {
    return new Date(this.#parts.clock.now()).toISOString()
  }
}

const isOver = ({ signals }: LiveJob): boolean => signals.stop.aborted || signals.leave.aborted

function throwIfOver({ signals }: LiveJob): void {
  signals.stop.throwIfAborted()
  signals.leave.throwIfAborted()
}

const never = { startedAt: null, mark: '' }

function endingOf(end: ProcessEnd, live: LiveJob, withinMs: number | undefined): JobEnding {
  if (end.how !== 'stopped') return { ...end, how: end.how }
  // Not stopped by the runner: the supervisor stops everything when the agent ends.
  const how = live.ends ?? 'interrupted'
  if (how !== 'late') return { ...end, how }
  return { ...end, how, why: `did not end within ${(withinMs ?? 0) / 1000} s, and ${end.why}` }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
