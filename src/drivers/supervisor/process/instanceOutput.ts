import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createLineSplitter } from '../logs/lineSplitter.ts'
import type { InstanceLog } from '../logs/instanceLog.ts'
import type { SupervisorLimits } from '../limits.ts'

/** Reads what an instance prints, always and at once, so that printing never blocks it. */
export interface InstanceOutput {
  /** The first few lines of stderr. */
  firstErrors(): string[]
  /** Resolves when both pipes have ended; gives them up after `drainMs`. */
  drained(): Promise<void>
}

const firstErrorLines = 20

export function readOutput(out: Socket, err: Socket, log: InstanceLog, limits: SupervisorLimits): InstanceOutput {
  const errors: string[] = []
  const outEnded = readLines(out, limits, (lines) => log.append('out', lines))
  const errEnded = readLines(err, limits, (lines) => {
    if (errors.length < firstErrorLines) errors.push(...lines.slice(0, firstErrorLines - errors.length))
    log.append('err', lines)
  })
  let done: Promise<void> | null = null
  const drain = async (): Promise<void> => {
    const timer = new AbortController()
    const ended = Promise.all([outEnded, errEnded]).finally(() => timer.abort())
    await Promise.race([ended, pause(limits.drainMs, null, { signal: timer.signal }).catch(() => {})])
    out.destroy()
    err.destroy()
    const split = (await outEnded) + (await errEnded)
    if (split > 0) log.append('tandem', [`${split} lines were longer than ${limits.lineBytes} bytes and were split`])
  }
  return { firstErrors: () => errors, drained: () => (done ??= drain()) }
}

/** Resolves with the number of lines that were split. */
function readLines(socket: Socket, limits: SupervisorLimits, take: (lines: string[]) => void): Promise<number> {
  const splitter = createLineSplitter(limits.lineBytes)
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => take(splitter.push(chunk)))
    // A read error of a pipe ends it; what came before it was taken.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      take(splitter.end())
      resolve(splitter.split())
    })
  })
}
