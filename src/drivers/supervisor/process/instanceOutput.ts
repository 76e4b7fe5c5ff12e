import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createLineSplitter } from '../logs/lineSplitter.ts'
import type { InstanceLog } from '../logs/instanceLog.ts'
import type { SupervisorLimits } from '../limits.ts'

/** Reads the output of an instance at once. Only a slow disk holds the instance back, and only for a limited time. */
export interface InstanceOutput {
  /** The first few lines of stderr of a program that has ended. */
  lastWords(): Promise<string[]>
  /** The program executes: output from now on is from the program. */
  begun(): void
  /** Resolves when both pipes have ended; gives them up after `drainMs`. */
  drained(): Promise<void>
}

export const firstErrorLines = 20

export function readOutput(out: Socket, err: Socket, log: InstanceLog, limits: SupervisorLimits): InstanceOutput {
  const errors: string[] = []
  const outEnded = readLines(out, limits, log, (lines) => log.append('out', lines))
  const errEnded = readLines(err, limits, log, (lines) => {
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
  const drained = (): Promise<void> => (done ??= drain())
  return { lastWords: () => drained().then(() => errors), begun: () => {}, drained }
}

/** Resolves with the number of lines that were split. */
function readLines(
  socket: Socket,
  limits: SupervisorLimits,
  log: InstanceLog,
  take: (lines: string[]) => void,
): Promise<number> {
  const splitter = createLineSplitter(limits.lineBytes)
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      take(splitter.push(chunk))
      const full = log.full()
      if (full === null) return
      socket.pause()
      void full.then(() => socket.resume())
    })
    // A read error ends the pipe. Output before the error has been taken.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      take(splitter.end())
      resolve(splitter.split())
    })
  })
}
