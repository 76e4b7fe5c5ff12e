import type { LogLine } from '../supervisor.ts'

/** Lines on their way to one reader. When the reader is slow and it is full, lines are skipped and a `tandem` line says how many. */
export interface LineQueue {
  push(line: LogLine): void
  /** Lines pushed before are still given. */
  end(): void
  /** All that wait; waits for the first. `null` when it has ended and is empty. */
  take(): Promise<LogLine[] | null>
}

/** What a line costs besides its text. */
const lineOverheadBytes = 200

export function createLineQueue(limitBytes: number): LineQueue {
  let lines: LogLine[] = []
  let bytes = 0
  let skipped = 0
  let ended = false
  let wake: (() => void) | null = null

  const notify = (): void => {
    wake?.()
    wake = null
  }
  return {
    push: (line) => {
      if (ended) return
      const cost = line.text.length * 2 + lineOverheadBytes
      if (bytes + cost > limitBytes) {
        skipped++
        return
      }
      if (skipped > 0) lines.push(skippedLine(line, skipped))
      skipped = 0
      lines.push(line)
      bytes += cost
      notify()
    },
    end: () => {
      const last = lines.at(-1)
      if (skipped > 0 && last !== undefined) lines.push(skippedLine(last, skipped))
      skipped = 0
      ended = true
      notify()
    },
    take: async () => {
      if (lines.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
      if (lines.length === 0) return null
      const taken = lines
      lines = []
      bytes = 0
      return taken
    },
  }
}

function skippedLine(near: LogLine, count: number): LogLine {
  return {
    ...near,
    stream: 'tandem',
    text: `${count} lines were skipped here: the reader is too slow (all are in the log file)`,
  }
}
