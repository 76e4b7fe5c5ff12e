import type { HostDriver, HostScript, ScriptState } from '../../drivers/host/host.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import type { Problems } from '../problems.ts'
import type { Execution, JobSignals, ProcessEnd } from '../jobs/job.ts'

interface Parts {
  host: HostDriver
  clock: Clock
  problems: Problems
  /** Names the problem that nobody can find out whether a script still runs. */
  problem: string
  /** Interval between looks at a running script, in milliseconds. */
  lookMs?: number
  /** Extra time after the script's limit before a script whose state cannot be read is given up, in milliseconds. */
  graceMs?: number
}

/** Runs scripts as root through the host driver. They outlive the agent, and only their own limit ends them. */
export class HostScripts {
  #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async start(script: HostScript, order: string | null, signals: JobSignals): Promise<Execution> {
    await this.#parts.host.begin(script, order)
    return this.watch(script, signals)
  }

  watch(script: HostScript, { leave }: JobSignals): Execution {
    return { ended: this.#untilEnded(script, leave) }
  }

  async #untilEnded(script: HostScript, leave: AbortSignal): Promise<ProcessEnd | null> {
    const { host, clock, problems, problem, lookMs = 500, graceMs = 60_000 } = this.#parts
    // The driver enforces the script's own limit; this limit is for a driver that cannot report the state of the
    // script.
    const givenUpAt = clock.monotonic() + script.withinMs + graceMs
    while (!leave.aborted) {
      try {
        const seen = await host.look(script)
        problems.solved(problem)
        if (seen.state !== 'running') return processEnd(script, seen)
      } catch (error) {
        const words = `cannot determine whether ${script.name} still runs: ${
          error instanceof Error ? error.message : String(error)
        }`
        if (clock.monotonic() >= givenUpAt) {
          problems.solved(problem)
          throw new Error(words, { cause: error })
        }
        problems.add(problem, words)
      }
      await sleep(clock, lookMs, leave)
    }
    return null
  }
}

function processEnd({ name }: HostScript, seen: Exclude<ScriptState, { state: 'running' }>): ProcessEnd {
  const none = { code: null, signal: null }
  switch (seen.state) {
    case 'ok':
      return { ...none, how: 'succeeded', why: '' }
    case 'failed':
      return { ...none, how: 'failed', why: seen.reason }
    case 'unknown':
      return { ...none, how: 'failed', why: `the agent cannot determine how ${name} ended` }
  }
}
