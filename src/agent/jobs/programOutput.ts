import type { Readable } from 'node:stream'
import type { ProgramStreams } from '../../drivers/supervisor/supervisor.ts'
import { sleep, type Clock } from '../../lib/clock.ts'

/**
 * How long after the program's end, or after the last output, output is given up that another process still holds open.
 */
const heldOpenMs = 2_000

export type TakeOutput = (kind: 'out' | 'err', bytes: Buffer) => Promise<void> | void

/**
 * Passes on everything that a program prints; the program waits while `take` does. Returns false if the program has
 * ended and another process still holds its output open. Throws what `take` throws, and reads no further.
 */
export async function readOutput(
  { stdout, stderr }: ProgramStreams,
  ended: Promise<unknown>,
  take: TakeOutput,
  clock: Clock,
): Promise<boolean> {
  let taking = 0
  let quietSince = 0
  let isHeldOpen = false
  const stop = (): void => {
    stdout.destroy()
    stderr.destroy()
  }
  const read = async (source: Readable, kind: 'out' | 'err'): Promise<void> => {
    for await (const bytes of source as AsyncIterable<Buffer>) {
      taking++
      try {
        await take(kind, bytes)
      } finally {
        taking--
      }
      quietSince = clock.monotonic()
    }
  }
  const giveUpWhenQuiet = async (over: AbortSignal): Promise<void> => {
    await ended
    for (quietSince = clock.monotonic(); !over.aborted; await sleep(clock, heldOpenMs / 4, over)) {
      isHeldOpen = taking === 0 && clock.monotonic() - quietSince >= heldOpenMs
      if (isHeldOpen) return stop()
    }
  }
  const over = new AbortController()
  const watching = giveUpWhenQuiet(over.signal)
  try {
    await Promise.all([read(stdout, 'out'), read(stderr, 'err')])
  } catch (error) {
    stop()
    if (!isHeldOpen) throw error
  } finally {
    over.abort()
    watching.catch(() => {}) // the caller gets the exit status from `ended`
  }
  return !isHeldOpen
}
