import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, renameSync, write as writeFd } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../../lib/clock.ts'
import type { SupervisorLimits } from '../limits.ts'
import type { LogLine } from '../supervisor.ts'
import { createHoldBack } from './holdBack.ts'
import { formatLine } from './storedLine.ts'

const write: (fd: number, bytes: Buffer, at: number, length: number, position: number) => Promise<number> = (...args) =>
  promisify(writeFd)(...args).then(({ bytesWritten }) => bytesWritten)

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
  write?: typeof write
}

/** The file that holds the output from before the current file. */
export const olderFile = (file: string): string => `${file}.1`

export function createInstanceLog(parts: InstanceLogParts): InstanceLog {
  const { file, service, instance, clock, limits } = parts
  const writeBytes = parts.write ?? write
  let fd: number | null = null
  let size = 0
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
        await store(Buffer.from(lines.map(formatLine).join('')))
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

  const store = async (bytes: Buffer): Promise<void> => {
    if (fd === null) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      fd = openSync(file, 'a+', 0o600)
      size = fstatSync(fd).size
    }
    if (size > 0 && size + bytes.length > limits.logFileBytes) fd = rotate(fd)
    const current = fd
    try {
      for (let at = 0; at < bytes.length;) at += await writeBytes(current, bytes, at, bytes.length - at, size + at)
      size += bytes.length
      parts.grown(bytes.length)
    } catch (error) {
      abandon(current)
      throw error
    }
  }

  /** A half-written line would corrupt the next line. The next attempt opens the file again. */
  const abandon = (current: number): void => {
    try {
      ftruncateSync(current, size)
    } catch {
      // The error of the write has more detail.
    }
    closeSync(current)
    fd = null
  }

  /**
   * Runs in one event-loop turn, so that a reader finds either both files before the rotation or both files after it.
   */
  const rotate = (current: number): number => {
    if (existsSync(file)) renameSync(file, olderFile(file))
    const fresh = openSync(file, 'a+', 0o600)
    closeSync(current)
    size = 0
    return fresh
  }

  return {
    service,
    instance,
    size: () => size,
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
      if (fd !== null) closeSync(fd)
      fd = null
    },
  }
}

function crowdedText(count: number, holdMs: number): string {
  return `${count} lines were dropped here: the disk was slower than the output for more than ${holdMs / 1000} s`
}
