import type { Definition, Jail } from '../../definitions/definition.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import { lastOf, lastWordsLines, mostFailures, type Failure, type LastWordsLine } from '../../protocol/lastWords.ts'
import type { Report } from '../../protocol/report.ts'
import { shortened } from '../agentReport.ts'
import { jailHints } from './jailHints.ts'
import type { MachineFeature } from '../machineFeature.ts'

/** The output of a program that has just ended may still be on its way to the supervisor. */
const soonMs = 300
/** Shortest time between two readings of one instance, which may fail again and again: a reading may be a process. */
const apartMs = 30_000
/** Last words stay in the report for this long, and until the controller has answered. */
const keptMs = 60_000

interface Parts {
  supervisor: Pick<SupervisorDriver, 'logs' | 'cannotJail'>
  clock: Clock
  /** Called whenever the next report would contain something new. */
  changed: () => void
}

interface FailedInstance {
  id: string
  release: string
  reason: string | null
  definition: Pick<Definition, 'service' | 'jail'>
}

interface Kept {
  failure: Failure
  /** When the words were last read, in ms of the monotonic clock. */
  readAt: number
}

/** Reads the last output of each instance that fails, and reports it. */
export class LastWords implements MachineFeature<Pick<Report, 'lastWords'>> {
  readonly #parts: Parts
  /** The newest failure of each instance, oldest first. */
  readonly #kept = new Map<string, Kept>()
  /** The same list as long as nothing changes: then a report costs nothing. */
  #report: Failure[] = []
  #heardAt = -Infinity
  /** The newest failure of each instance whose output is about to be read. */
  readonly #pending = new Map<string, { failure: Failure; jail: Jail | undefined; stop: () => void }>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** An instance has just failed. */
  take({ id, release, reason, definition: { service, jail } }: FailedInstance): void {
    const at = new Date(this.#parts.clock.now()).toISOString()
    const failure = {
      instance: id,
      service,
      release,
      at,
      reason: shortened(reason ?? ''),
      lines: [],
      cut: false,
      hints: [],
    }
    const pending = this.#pending.get(id)
    if (pending) return void (pending.failure = failure)
    const readAt = this.#kept.get(id)?.readAt ?? -Infinity
    const waitMs = Math.max(soonMs, readAt + apartMs - this.#parts.clock.monotonic())
    this.#pending.set(id, { failure, jail, stop: this.#parts.clock.after(waitMs, () => void this.#readPending(id)) })
  }

  want(): void {}

  report(): Pick<Report, 'lastWords'> {
    return { lastWords: this.#report }
  }

  heard(of: 'desired state' | 'answer'): void {
    if (of === 'answer') this.#heardAt = this.#parts.clock.monotonic()
  }

  retry(): void {
    const now = this.#parts.clock.monotonic()
    const over = [...this.#kept].filter(([, { readAt }]) => this.#heardAt > readAt && now - readAt > keptMs)
    for (const [instance] of over) this.#kept.delete(instance)
    if (over.length > 0) this.#changed()
  }

  stop(): void {
    for (const { stop } of this.#pending.values()) stop()
    this.#pending.clear()
  }

  async #readPending(instance: string): Promise<void> {
    const pending = this.#pending.get(instance)
    this.#pending.delete(instance)
    if (pending) await this.#read(pending.failure, pending.jail)
  }

  /** Never rejects: the failure itself is reported without its output. */
  async #read(failure: Failure, jail: Jail | undefined): Promise<void> {
    const { instance, service } = failure
    const { supervisor, clock } = this.#parts
    const lines: LastWordsLine[] = []
    try {
      for await (const { at, stream, text } of supervisor.logs({ service, instance, last: lastWordsLines + 1 })) {
        lines.push({ at, stream, text })
      }
    } catch (error) {
      const text = `(the output could not be read: ${error instanceof Error ? error.message : String(error)})`
      lines.push({ at: failure.at, stream: 'tandem', text })
    }
    const last = lastOf(lines)
    // Where nothing is jailed, the refusal is the machine's own.
    const hints = supervisor.cannotJail
      ? jailHints(
          last.lines.map(({ text }) => text),
          jail,
        )
      : []
    this.#kept.delete(instance)
    this.#kept.set(instance, { failure: { ...failure, ...last, hints }, readAt: clock.monotonic() })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostFailures) break
      this.#kept.delete(oldest)
    }
    this.#changed()
  }

  #changed(): void {
    this.#report = [...this.#kept.values()].map(({ failure }) => failure)
    this.#parts.changed()
  }
}
