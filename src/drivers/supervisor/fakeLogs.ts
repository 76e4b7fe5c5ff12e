import type { Clock } from '../../lib/clock.ts'
import { supervisorLimits } from './limits.ts'
import { createLineFeed } from './logs/lineFeed.ts'
import type { InstanceSpec, LogLine, LogQuery } from './supervisor.ts'

const keptLines = 100_000

/** The output of simulated programs, in memory. */
export class FakeLogs {
  readonly #clock: Clock
  readonly #feed = createLineFeed(supervisorLimits.followBytes)
  #kept: LogLine[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  print({ service, id }: InstanceSpec, stream: LogLine['stream'], text: string): void {
    const line = { at: new Date(this.#clock.now()).toISOString(), service, instance: id, stream, text }
    this.#kept.push(line)
    if (this.#kept.length > keptLines) this.#kept = this.#kept.slice(keptLines / 10)
    this.#feed.publish([line])
  }

  ended({ service, id }: InstanceSpec): void {
    this.#feed.ended(service, id)
  }

  forget(service: string, isRunning: (instance: string) => boolean): void {
    this.#kept = this.#kept.filter((line) => line.service !== service || isRunning(line.instance))
  }

  close(): void {
    this.#feed.close()
  }

  async *query(query: LogQuery, isRunning: (instance: string) => boolean): AsyncGenerator<LogLine> {
    const { service, instance, signal } = query
    const since = query.since === undefined ? null : new Date(query.since).toISOString()
    const wanted = (line: LogLine): boolean =>
      line.service === service &&
      (instance === undefined || line.instance === instance) &&
      (since === null || line.at >= since)
    const { queue, leave } = this.#feed.follow(query)
    const end = (): void => queue.end()
    signal?.addEventListener('abort', end)
    const known = this.#kept.filter(wanted)
    const isOver = instance !== undefined && !isRunning(instance) && known.length > 0
    if (query.follow !== true || isOver || signal?.aborted) queue.end()
    try {
      for (const line of query.last === undefined ? known : known.slice(known.length - query.last)) {
        if (signal?.aborted) return
        yield line
      }
      for (let lines = await queue.take(); lines !== null; lines = await queue.take()) yield* lines.filter(wanted)
    } finally {
      signal?.removeEventListener('abort', end)
      leave()
    }
  }
}
