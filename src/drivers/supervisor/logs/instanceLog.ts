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
 * The output of one instance on its way to the disk: bounded in memory, two files, and in the instance's way for a moment
 * at most. When the disk is slow for longer, full or broken, lines are dropped, and a `tandem` line says how many and why
 * as soon as one can be written.
 */
export interface InstanceLog {
  readonly service: string
  readonly instance: string
  /** Bytes of the current file that hold whole lines, all of them published. */
  size(): number
  /** Never waits and never throws. */
  append(stream: LogLine['stream'], texts: string[]): void
  /** `null`: there is room for more. Else resolves when there is, or when the instance was held back for long enough. */
  full(): Promise<void> | null
  /** Resolves when everything taken is written or given up. */
  end(): Promise<void>
}

export interface InstanceLogParts {
  file: string
  service: string
  instance: string
  clock: Clock
  limits: SupervisorLimits
  /** Called with lines in order, once the disk has them or has refused them. */
  published: (lines: LogLine[]) => void
  /** Called with the bytes that were added on the disk. */
  grown: (bytes: number) => void
  /** Of a disk that a test slows down. */
  write?: typeof write
}

/** The file that holds what was written before the current one. */
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
  /** Not yet told: lines that found no room in memory, and lines that the disk refused. */
  const lost = { crowded: 0, refused: 0, why: '' }

  const line = (stream: LogLine['stream'], text: string): LogLine => {
    return { at: new Date(clock.now()).toISOString(), service, instance, stream, text }
  }

  const append: InstanceLog['append'] = (stream, texts) => {
    for (const text of texts) {
      const cost = text.length * 2
      // Whoever appends holds back as `full` says; the bound here is for what was under way by then.
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
    await Promise.resolve() // lines of the same turn travel together
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

  /** A half-written line would spoil the next one. The file is opened afresh for the next try. */
  const abandon = (current: number): void => {
    try {
      ftruncateSync(current, size)
    } catch {
      // The write's own error tells more.
    }
    closeSync(current)
    fd = null
  }

  /** In one turn, so that a reader always finds either both files as they were or both as they are. */
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
