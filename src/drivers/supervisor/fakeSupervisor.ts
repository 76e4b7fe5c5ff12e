import { PassThrough } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { alreadyRunning } from './startRefusal.ts'
import { FakeLogs } from './fakeLogs.ts'
import type { Claimed, ExitReason, ExitStatus, InstanceSpec, MainEnd, Started, SupervisorDriver } from './supervisor.ts'

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

/** A supervisor without processes: tests and the simulator decide its events. It keeps the promises of the driver. */
export interface FakeSupervisor extends SupervisorDriver {
  /** Decides how later instances behave. */
  setProgram(choose: (spec: InstanceSpec) => FakeProgram): void
  die(id: string, end?: FakeEnd): void
  print(id: string, stream: 'out' | 'err', text: string): void
  setListening(id: string, listening: boolean): void
  running(): string[]
  /** Every instance that was ever started here, in order. */
  readonly starts: InstanceSpec[]
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
  timer: NodeJS.Timeout | null
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
    ...{ spec, pid, startedAt, program, listening: program.listens ?? true, asked: false, ended: null, timer: null },
    ...{ streams: spec.attached ? pipes() : undefined, over, finish },
  }
}

/**
 * With `outlivesAgent` the instances keep running after `close`, and the next agent that gets this supervisor adopts
 * them.
 */
export function createFakeSupervisor(clock: Clock, { outlivesAgent = false } = {}): FakeSupervisor {
  const running = new Map<string, Pretended>()
  const starts: InstanceSpec[] = []
  const listeners: ((exit: ExitStatus) => void)[] = []
  const mainEndListeners: ((end: MainEnd) => void)[] = []
  const logs = new FakeLogs(clock)
  let choose: (spec: InstanceSpec) => FakeProgram = () => ({})
  const unclaimed = new Set<string>()
  let closed = false

  /** The main process ends; the processes that it leaves behind have the grace to end. */
  const endMain = (id: string, end: FakeEnd): void => {
    const one = running.get(id)
    if (one === undefined) return
    one.ended = end
    const { code = 0, signal = null, reason = signal === null ? 'exit' : 'signal' } = end
    const told = { id, pid: one.pid, code: signal === null ? code : null, signal, reason }
    if (!one.asked) for (const listener of mainEndListeners) listener(told)
    for (const text of one.program.lastWords ?? []) logs.print(one.spec, 'out', text)
    if (one.program.leaves) one.timer = setTimeout(() => die(id, end), one.spec.stop.withinMs)
    else die(id, end)
  }

  const die = (id: string, { code, signal, reason }: FakeEnd = {}): void => {
    const one = running.get(id)
    if (one === undefined) return
    if (one.timer !== null) clearTimeout(one.timer)
    running.delete(id)
    const why = one.asked ? 'stopped' : (reason ?? (signal === undefined ? 'exit' : 'signal'))
    const status = { code: signal === undefined ? (code ?? 0) : null, signal: signal ?? null }
    if (!one.program.leavesOutputOpen) {
      one.streams?.stdout.end()
      one.streams?.stderr.end()
    }
    logs.print(one.spec, 'tandem', `ended: ${why} (${status.signal ?? status.code})`)
    logs.ended(one.spec)
    for (const listener of listeners) listener({ id, pid: one.pid, ...status, asked: one.asked, reason: why })
    one.finish()
  }

  const claim = (id: string): Claimed | null => {
    const adopted = unclaimed.delete(id) ? running.get(id) : undefined
    if (!adopted) return null
    const { pid, startedAt, spec } = adopted
    return { pid, port: Number(spec.env['PORT']), startedAt, restarts: 0 }
  }

  const start = (spec: InstanceSpec): Started => {
    if (closed) throw new Error(`the supervisor is closing: ${spec.id} is not started`)
    if (running.has(spec.id)) throw alreadyRunning(spec.id)
    const program = choose(spec)
    if (program.failsStart !== undefined) {
      logs.print(spec, 'tandem', `not started: ${program.failsStart.message}`)
      logs.ended(spec)
      throw program.failsStart
    }
    starts.push(spec)
    const pid = fakePid + starts.length
    const one = pretend(spec, program, pid, clock.now())
    running.set(spec.id, one)
    logs.print(spec, 'tandem', `started: pid ${pid}, release ${spec.release.slice(0, 12)}`)
    for (const { stream, text } of program.prints ?? []) logs.print(spec, stream, text)
    const { ends } = program
    if (ends !== undefined) one.timer = setTimeout(() => endMain(spec.id, ends), ends.afterMs)
    const { streams } = one
    if (streams && program.echoes) echo(spec.id, streams, program.echoes)
    return { pid, ...(streams ? { streams } : {}) }
  }

  const echo = (id: string, { stdin, stdout, stderr }: NonNullable<Pretended['streams']>, end: FakeEnd): void => {
    stdin.pipe(stdout, { end: false })
    stdin.once('end', () => {
      stderr.write('done')
      die(id, end)
    })
  }

  const stop = async (id: string): Promise<void> => {
    const one = running.get(id)
    if (one === undefined) return
    if (!one.asked && one.ended === null) {
      one.asked = true
      if (one.timer !== null) clearTimeout(one.timer)
      const { signal, withinMs } = one.spec.stop
      if (one.program.hangsAtStop) one.timer = setTimeout(() => die(id, { signal: 'SIGKILL' }), withinMs)
      else setImmediate(() => endMain(id, { signal }))
    }
    await one.over
  }

  return {
    name: 'fake',
    abilities: { memory: true, cpu: true, tasks: true, outlivesAgent, why: null },
    recover: async () => {
      for (const id of running.keys()) unclaimed.add(id)
      return { adopted: [...running.keys()], ended: [] }
    },
    start: async (spec) => start(spec),
    claim,
    stop,
    ownsSocket: async (id, port) => {
      const one = running.get(id)
      return one !== undefined && one.listening && one.spec.env['PORT'] === String(port)
    },
    whoOwns: async (port) => {
      const one = [...running.values()].find(({ spec, listening }) => listening && spec.env['PORT'] === String(port))
      return one === undefined ? null : { pid: one.pid, command: one.spec.argv.join(' ') }
    },
    isAlive: (id) => running.get(id)?.ended === null,
    onMainEnd: (listener) => void mainEndListeners.push(listener),
    onExit: (listener) => void listeners.push(listener),
    logs: (query) => logs.query(query, (id) => running.has(id)),
    forget: async (service) => logs.forget(service, (id) => running.has(id)),
    close: async () => {
      if (outlivesAgent) return
      closed = true
      await Promise.all([...running.keys()].map(stop))
      logs.close()
    },
    setProgram: (chosen) => void (choose = chosen),
    die,
    print: (id, stream, text) => {
      const one = running.get(id)
      if (one !== undefined) logs.print(one.spec, stream, text)
    },
    setListening: (id, listening) => {
      const one = running.get(id)
      if (one !== undefined) one.listening = listening
    },
    running: () => [...running.keys()],
    starts,
  }
}
