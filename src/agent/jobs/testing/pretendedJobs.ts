import { VirtualClock } from '../../../lib/testing/virtualClock.ts'
import { AgentDisk } from '../../agentDisk.ts'
import { LateWrites } from '../../lateWrites.ts'
import { Problems } from '../../problems.ts'
import { quiet } from '../../testing/given.ts'
import type { Execution, JobKind, JobSignals, ProcessEnd, RecordPolicy } from '../job.ts'
import { ending } from '../jobRecord.ts'
import { JobRecords } from '../jobRecords.ts'
import { JobRunner } from '../jobRunner.ts'
import { Crash } from './crash.ts'

export const succeeded: ProcessEnd = { how: 'succeeded', code: 0, signal: null, why: '' }
export const stopped: ProcessEnd = { how: 'stopped', code: null, signal: 'SIGTERM', why: 'killed by SIGTERM' }

/** A machine whose processes outlive a killed agent, and end as the test decides. */
export class PretendedMachine {
  boots = 1
  readonly starts: string[] = []
  readonly forgotten: string[] = []
  /** Called by the agent at its stop signal. */
  onStop: (id: string) => void = (id) => this.end(id, stopped)
  /** Delays or refuses what a job needs before its start. */
  gather: (stop: AbortSignal) => Promise<void> = async () => {}
  failsStart: Error | null = null
  #ends = new Map<string, PromiseWithResolvers<ProcessEnd>>()
  #running = new Set<string>()

  get running(): string[] {
    return [...this.#running]
  }

  start(id: string): void {
    if (this.failsStart) throw this.failsStart
    this.starts.push(id)
    this.#running.add(id)
    this.#ends.set(id, Promise.withResolvers())
  }

  end(id: string, end: ProcessEnd): void {
    this.#running.delete(id)
    this.#ends.get(id)?.resolve(end)
  }

  /** Resolves when the process has ended; rejects for one that this start of the machine does not know. */
  async ended(id: string): Promise<ProcessEnd> {
    const known = this.#ends.get(id)
    if (!known) throw new Error(`nobody knows ${id}`)
    return known.promise
  }

  reboot(): void {
    this.boots++
    this.#running.clear()
    this.#ends.clear()
  }
}

export interface PretendedKind {
  record: RecordPolicy
  outlivesAgent?: boolean
}

export const onDisk = (over: Partial<Extract<RecordPolicy, { on: 'disk' }>> = {}): RecordPolicy => ({
  ...{ on: 'disk', from: 'started', ifUnwritten: 'retry', kept: 5, result: 'the result of the job' },
  ...over,
})

export function pretendedKind(
  machine: PretendedMachine,
  { record, outlivesAgent = false }: PretendedKind,
  crash = new Crash(),
): JobKind<string> {
  const execution = (id: string, { stop, leave }: JobSignals): Execution => {
    const stopIt = (): void => {
      if (!crash.isOver) machine.onStop(id)
    }
    stop.addEventListener('abort', stopIt)
    if (stop.aborted) stopIt()
    const ended = crash.around('the end', () => machine.ended(id))
    if (!outlivesAgent) return { ended }
    const left = Promise.withResolvers<null>()
    leave.addEventListener('abort', () => left.resolve(null))
    return { ended: Promise.race([ended, left.promise]) }
  }
  return {
    name: 'pretended',
    record,
    outlivesAgent,
    about: (word) => ({ word }),
    ready: async (id, _, stop) => {
      await crash.around('gathering', () => machine.gather(stop))
      return {
        start: async (signals) => {
          await crash.around('starting', async () => machine.start(id))
          return execution(id, signals)
        },
        release: () => {},
      }
    },
    left: (_, isSameBoot) =>
      isSameBoot && outlivesAgent ? 'watch' : ending('interrupted', isSameBoot ? 'the agent ended' : 'rebooted'),
    watch: (id, _, signals) => execution(id, signals),
    forget: async ({ id }) => void machine.forgotten.push(id),
  }
}

export interface PretendedAgent {
  jobs: JobRunner<string>
  records: JobRecords
  disk: AgentDisk
  problems: Problems
  lateWrites: LateWrites
  /** Of the deadlines of jobs. */
  clock: VirtualClock
  /** How often an end was announced. */
  changes: number
}

/** Starts an agent with one kind of jobs on this disk. */
export function pretendedAgent(
  disk: AgentDisk,
  machine: PretendedMachine,
  kind: PretendedKind,
  crash?: Crash,
): PretendedAgent {
  const problems = new Problems(quiet, () => {})
  const lateWrites = new LateWrites(problems)
  const clock = new VirtualClock()
  const records = new JobRecords(disk)
  const parts = {
    ...{ records, mark: () => `boot ${machine.boots}`, clock, problems, lateWrites, logger: quiet },
    changed: () => void agent.changes++,
  }
  const jobs = new JobRunner(pretendedKind(machine, kind, crash), parts)
  const agent: PretendedAgent = { jobs, records, disk, problems, lateWrites, clock, changes: 0 }
  return agent
}
