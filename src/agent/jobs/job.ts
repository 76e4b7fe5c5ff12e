import type { ProgramStreams } from '../../drivers/supervisor/supervisor.ts'
import type { JobEnding, JobRecord } from './jobRecord.ts'

/*
 * A job is a process that runs once. Its record has three states, and each state is on disk before the effect that it
 * announces, as far as the policy of the kind wants it there:
 *   accepted  Somebody asked for the job. Nothing has run. Left by `started`, or by `ended` if it cannot start, or if it
 *             is cancelled before.
 *   started   The process is about to start, or it runs. After a crash of the agent, `JobKind.left` decides: the job
 *             ends, is watched on, or starts again. Left by `ended`.
 *   ended     How the job ended. Never changes; an id is used once.
 */

/** How one kind of job runs. `Work` is what the asker must give each time it asks. */
export interface JobKind<Work> {
  /** Names the jobs in records, problems and log lines. */
  readonly name: string
  readonly record: RecordPolicy
  /** Whether the process keeps running when the agent ends. If not, the agent ends it first. */
  readonly outlivesAgent: boolean
  /** Facts for the record, for those who read it later. Nothing secret. */
  about(work: Work): JobRecord['about']
  /** Gathers everything that the start needs. Has no effect that a second call would repeat. */
  ready(id: string, work: Work, stop: AbortSignal): Promise<ReadyJob>
  /** Decides about a job that had started when an earlier agent ended. */
  left(record: JobRecord, isSameBoot: boolean): LeftJob
  /** Watches a running job that an earlier agent started. Only for kinds whose `left` answers `watch`. */
  watch?(id: string, work: Work, signals: JobSignals): Execution
  /** Removes the rest of a job. Called when its end is on disk, since until then the next agent may ask again. */
  forget?(record: JobRecord): Promise<void>
  /** Words for an error that kept a job from starting. Default: the message of the error. */
  readonly whyNot?: (error: unknown) => string
}

export type RecordPolicy =
  /** The record ends with the job: somebody waits for it. For jobs that run often, such as health commands. */
  | { on: 'memory' }
  | {
      on: 'disk'
      /** `started`: the asker asks again after a crash, so `accepted` need not survive one. */
      from: 'accepted' | 'started'
      /** The start of a job that cannot be recorded, as on a full disk, is retried, or the job ends. */
      ifUnwritten: 'retry' | 'fail'
      /** Number of records kept of jobs that do not run. */
      kept: number
      /** Names the record of an end in the problem that it cannot be written. */
      result: string
    }

/**
 * `watch`: the process outlives the agent, and is watched when the asker asks again. `start`: the start may be repeated,
 * and is when the asker asks again. Otherwise the job ends.
 */
export type LeftJob = 'watch' | 'start' | JobEnding

export interface JobSignals {
  /** Aborts when the process must end. */
  stop: AbortSignal
  /** Aborts when the agent ends. */
  leave: AbortSignal
}

/** A job that needs only its record before it starts. */
export interface ReadyJob {
  start(signals: JobSignals): Promise<Execution>
  /** Gives back what `ready` took, if the job does not start. */
  release(): void
}

export interface Execution {
  /** `null`: the agent ended first, and the process runs on. Rejects if nobody can find out how the process ended. */
  ended: Promise<ProcessEnd | null>
  /** Streams that the asker must read. */
  streams?: ProgramStreams
}

/** How a process ended, as its executor sees it. `stopped`: it ended after the stop signal. */
export interface ProcessEnd extends Omit<JobEnding, 'how'> {
  how: 'succeeded' | 'failed' | 'stopped'
}

/** Where the output of a program goes: to the logs, to the asker, or the last bytes of it to the record. */
export type JobOutput = 'logs' | 'attached' | { tailBytes: number }
