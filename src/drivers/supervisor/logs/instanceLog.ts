import type { Clock } from '../../../lib/clock.ts'
import type { SupervisorLimits } from '../limits.ts'
import type { LogLine } from '../supervisor.ts'
import { createHoldBack } from './holdBack.ts'
import { RotatingFile, type WriteBytes } from './rotatingFile.ts'
import { formatLine } from './storedLine.ts'

/**
 * Writes the output of one instance to the disk. It uses limited memory and two files, and delays the instance for a
 * moment at most. When the disk is slow for longer, is full or is broken, it drops lines; a `tandem` line reports how
 * many and why as soon as one can be written.
 */
export interface InstanceLog {
  readonly service: string
  readonly instance: string
  /** Bytes of the current file that hold whole lines, all of which are published. */
  size(): number
  /** Never waits and never throws. */
  append(stream: LogLine['stream'], texts: string[]): void
  /**
   * `null`: there is room for more. Otherwise resolves when there is room, or when the instance was held back for the
   * time allowed.
   */
  full(): Promise<void> | null
  /** Resolves when every accepted line is written or given up. */
  end(): Promise<void>
}

export interface InstanceLogParts {
  file: string
  service: string
  instance: string
  clock: Clock
  limits: SupervisorLimits
  /** Called with lines in order, once the disk has written or rejected them. */
  published: (lines: LogLine[]) => void
  /** Called with the number of bytes added on the disk. */
  grown: (bytes: number) => void
  /** Replaces the write function, for tests that slow the disk down. */
  write?: WriteBytes
}

export function createInstanceLog(parts: InstanceLogParts): InstanceLog {
  const { file, service, instance, clock, limits } = parts
  const disk = new RotatingFile(file, limits.logFileBytes, parts.write)
  let pending: LogLine[] = []
  let pendingBytes = 0
  let writing: Promise<void> | null = null
  const holdBack = createHoldBack(clock, limits.holdMs)
  /** Not yet reported: lines that found no room in memory, and lines that the disk rejected. */
  const lost = { crowded: 0, refused: 0, why: '' }

  const line = (stream: LogLine['stream'], text: string): LogLine => {
    return { at: new Date(clock.now()).toISOString(), service, instance, stream, text }
  }

  const append: InstanceLog['append'] = (stream, texts) => {
    for (const text of texts) {
      const cost = text.length * 2
      // The caller of `append` waits as `full` demands. The bound here is for output that was under way by then.
      const bound = holdBack.isSpent() ? limits.pendingBytes : 2 * limits.pendingBytes
      if (pendingBytes + cost > bound) {
        lost.crowded++
        continue
      }
      if (lost.crowded > 0) pending.push(line('tandem', crowdedText(lost.crowded, limits.holdMs)))
      lost.crowded = 0
      pending.push(line(stream, text))
      pendingBytes += cost
    }
    if (pending.length > 0) writing ??= drain()
  }

  const full: InstanceLog['full'] = () =>
    pendingBytes < limits.pendingBytes || holdBack.isSpent() ? null : holdBack.wait()

  const drain = async (): Promise<void> => {
    await Promise.resolve() // lines of the same event-loop turn are written together
    while (pending.length > 0) {
      const lines = pending
      if (pendingBytes < limits.pendingBytes / 2) holdBack.caughtUp()
      pending = []
      pendingBytes = 0
      holdBack.release()
      const refused = lost.refused
      if (refused > 0) lines.unshift(line('tandem', `${refused} lines were lost here: ${lost.why}`))
      try {
        parts.grown(await disk.add(Buffer.from(lines.map(formatLine).join(''))))
        lost.refused -= refused
      } catch (error) {
        lost.refused += lines.length - (refused > 0 ? 1 : 0)
        lost.why = error instanceof Error ? error.message : String(error)
      }
      parts.published(lines)
    }
    holdBack.caughtUp()
    writing = null
  }

  return {
    service,
    instance,
    size: () => disk.size,
    append,
    full,
    end: async () => {
      if (lost.crowded > 0) pending.push(line('tandem', crowdedText(lost.crowded, limits.holdMs)))
      lost.crowded = 0
      if (pending.length === 0 && lost.refused > 0) {
        pending.push(line('tandem', 'the output of this instance ends here'))
      }
      if (pending.length > 0) writing ??= drain()
      await writing
      disk.close()
    },
  }
}

function crowdedText(count: number, holdMs: number): string {
  return `${count} lines were dropped here: the disk was slower than the output for more than ${holdMs / 1000} s`
}
