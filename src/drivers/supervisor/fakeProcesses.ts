import { PassThrough } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import type { FakeLogs } from './fakeLogs.ts'
import { alreadyRunning } from './startRefusal.ts'
import type { ExitReason, ExitStatus, InstanceSpec, MainEnd, Started } from './supervisor.ts'

/**
 * Behaviour of a simulated program. By default the program starts at once, listens on its PORT, and ends at its stop
 * signal.
 */
export interface FakeProgram {
  /** `start` rejects with this. */
  failsStart?: Error
  prints?: { stream: 'out' | 'err'; text: string }[]
  /** The program ends on its own. */
  ends?: FakeEnd & { afterMs: number }
  /** Attached: the program copies its input to its output, prints `done` on stderr, and ends with this status. */
  echoes?: FakeEnd
  /** Attached: a process that outlives the program holds its output open. */
  leavesOutputOpen?: boolean
  /** False: the program runs but does not listen. */
  listens?: boolean
  /** The program ignores the stop signal and is killed after its grace. */
  hangsAtStop?: boolean
  /**
   * Lines that the program and the processes it leaves behind print after the stop signal or after the program ends.
   */
  lastWords?: string[]
  /** The processes that the program leaves behind ignore SIGTERM and are killed after the grace. */
  leaves?: boolean
}

export interface FakeEnd {
  code?: number
  signal?: string
  reason?: ExitReason
}

const fakePid = 100_000

interface Pretended {
  spec: InstanceSpec
  pid: number
  startedAt: number
  program: FakeProgram
  listening: boolean
  asked: boolean
  /** How the main process ended, while processes that it started are left; `null` while it runs. */
  ended: FakeEnd | null
  stopTimer: () => void
  streams: { stdin: PassThrough; stdout: PassThrough; stderr: PassThrough } | undefined
  over: Promise<void>
  finish: () => void
}

function pretend(spec: InstanceSpec, program: FakeProgram, pid: number, startedAt: number): Pretended {
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()
  const pipes = (): Pretended['streams'] => {
    return { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  }
  return {
    ...{
      spec,
      pid,
      startedAt,
      program,
      listening: program.listens ?? true,
      asked: false,
      ended: null,
      stopTimer: () => {},
    },
    ...{ streams: spec.attached ? pipes() : undefined, over, finish },
  }
}

/** The simulated programs of a fake supervisor. */
export class FakeProcesses {
  readonly running = new Map<string, Pretended>()
  /** Every instance that was ever started here, in order. */
  readonly starts: InstanceSpec[] = []
  readonly exitListeners: ((exit: ExitStatus) => void)[] = []
  readonly mainEndListeners: ((end: MainEnd) => void)[] = []
  choose: (spec: InstanceSpec) => FakeProgram = () => ({})
  isClosed = false
  readonly #clock: Clock
  readonly #logs: FakeLogs

  constructor(clock: Clock, logs: FakeLogs) {
    this.#clock = clock
    this.#logs = logs
  }

  start(spec: InstanceSpec): Started {
    if (this.isClosed) throw new Error(`the supervisor is closing: ${spec.id} is not started`)
    if (this.running.has(spec.id)) throw alreadyRunning(spec.id)
    const program = this.choose(spec)
    if (program.failsStart !== undefined) {
      this.#logs.print(spec, 'tandem', `not started: ${program.failsStart.message}`)
      this.#logs.ended(spec)
      throw program.failsStart
    }
    this.starts.push(spec)
    const pid = fakePid + this.starts.length
    const one = pretend(spec, program, pid, this.#clock.now())
    this.running.set(spec.id, one)
    this.#logs.print(spec, 'tandem', `started: pid ${pid}, release ${spec.release.slice(0, 12)}`)
    for (const { stream, text } of program.prints ?? []) this.#logs.print(spec, stream, text)
    const { ends } = program
    if (ends !== undefined) one.stopTimer = this.#clock.after(ends.afterMs, () => this.#endMain(spec.id, ends))
    const { streams } = one
    if (streams && program.echoes) this.#echo(spec.id, streams, program.echoes)
    return { pid, ...(streams ? { streams } : {}) }
  }

  #echo(id: string, { stdin, stdout, stderr }: NonNullable<Pretended['streams']>, end: FakeEnd): void {
    stdin.pipe(stdout, { end: false })
    stdin.once('end', () => {
      stderr.write('done')
      this.die(id, end)
    })
  }

  async stop(id: string): Promise<void> {
    const one = this.running.get(id)
    if (one === undefined) return
    if (!one.asked && one.ended === null) {
      one.asked = true
      one.stopTimer()
      const { signal, withinMs } = one.spec.stop
      one.stopTimer = one.program.hangsAtStop
        ? this.#clock.after(withinMs, () => this.die(id, { signal: 'SIGKILL' }))
        : this.#clock.after(0, () => this.#endMain(id, { signal }))
    }
    await one.over
  }

  /** The main process ends; the processes that it leaves behind have the grace to end. */
  #endMain(id: string, end: FakeEnd): void {
    const one = this.running.get(id)
    if (one === undefined) return
    one.ended = end
    const { code = 0, signal = null, reason = signal === null ? 'exit' : 'signal' } = end
    const told = { id, pid: one.pid, code: signal === null ? code : null, signal, reason }
    if (!one.asked) for (const listener of this.mainEndListeners) listener(told)
    for (const text of one.program.lastWords ?? []) this.#logs.print(one.spec, 'out', text)
    if (one.program.leaves) one.stopTimer = this.#clock.after(one.spec.stop.withinMs, () => this.die(id, end))
    else this.die(id, end)
  }

  die(id: string, { code, signal, reason }: FakeEnd = {}): void {
    const one = this.running.get(id)
    if (one === undefined) return
    one.stopTimer()
    this.running.delete(id)
    const why = one.asked ? 'stopped' : (reason ?? (signal === undefined ? 'exit' : 'signal'))
    const status = { code: signal === undefined ? (code ?? 0) : null, signal: signal ?? null }
    if (!one.program.leavesOutputOpen) {
      one.streams?.stdout.end()
      one.streams?.stderr.end()
    }
    this.#logs.print(one.spec, 'tandem', `ended: ${why} (${status.signal ?? status.code})`)
    this.#logs.ended(one.spec)
    for (const listener of this.exitListeners) listener({ id, pid: one.pid, ...status, asked: one.asked, reason: why })
    one.finish()
  }
}
