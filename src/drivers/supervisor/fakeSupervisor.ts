import type { Clock } from '../../lib/clock.ts'
import { FakeLogs } from './fakeLogs.ts'
import { FakeProcesses, type FakeEnd, type FakeProgram } from './fakeProcesses.ts'
import type { InstanceSpec, SupervisorDriver, TerminalSize } from './supervisor.ts'

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
  /** The size that each terminal was given last. */
  readonly sizes: ReadonlyMap<string, TerminalSize>
}

/**
 * With `outlivesAgent` the instances keep running after `close`, and the next agent that gets this supervisor adopts
 * them.
 */
export function createFakeSupervisor(clock: Clock, { outlivesAgent = false } = {}): FakeSupervisor {
  const logs = new FakeLogs(clock)
  const processes = new FakeProcesses(clock, logs)
  const { running } = processes
  const unclaimed = new Set<string>()
  const sizes = new Map<string, TerminalSize>()
  return {
    name: 'fake',
    abilities: { memory: true, cpu: true, tasks: true, outlivesAgent, why: null },
    recover: async () => {
      for (const id of running.keys()) unclaimed.add(id)
      return { adopted: [...running.keys()], ended: [] }
    },
    start: async (spec) => processes.start(spec),
    claim: (id) => {
      const adopted = unclaimed.delete(id) ? running.get(id) : undefined
      if (!adopted) return null
      const { pid, startedAt, spec } = adopted
      return { pid, port: Number(spec.env['PORT']), startedAt, restarts: 0 }
    },
    stop: (id) => processes.stop(id),
    ownsSocket: async (id, port) => {
      const one = running.get(id)
      return one !== undefined && one.listening && one.spec.env['PORT'] === String(port)
    },
    whoOwns: async (port) => {
      const one = [...running.values()].find(({ spec, listening }) => listening && spec.env['PORT'] === String(port))
      return one === undefined ? null : { pid: one.pid, command: one.spec.argv.join(' ') }
    },
    isAlive: (id) => running.get(id)?.ended === null,
    resize: async (id, size) => void sizes.set(id, size),
    onMainEnd: (listener) => void processes.mainEndListeners.push(listener),
    onExit: (listener) => void processes.exitListeners.push(listener),
    logs: (query) => logs.query(query, (id) => running.has(id)),
    forget: async (service) => logs.forget(service, (id) => running.has(id)),
    close: async () => {
      if (outlivesAgent) return
      processes.isClosed = true
      await Promise.all([...running.keys()].map((id) => processes.stop(id)))
      logs.close()
    },
    setProgram: (chosen) => void (processes.choose = chosen),
    die: (id, end) => processes.die(id, end),
    print: (id, stream, text) => {
      const one = running.get(id)
      if (one !== undefined) logs.print(one.spec, stream, text)
    },
    setListening: (id, listening) => {
      const one = running.get(id)
      if (one !== undefined) one.listening = listening
    },
    running: () => [...running.keys()],
    starts: processes.starts,
    sizes,
  }
}
