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
  let skipped = { count: 0, near: null as LogLine | null }
  let ended = false
  let wake: (() => void) | null = null

  const notify = (): void => {
    wake?.()
    wake = null
  }
  /** In the place of what was skipped. */
  const noteSkipped = (): void => {
    if (skipped.near !== null) lines.push(skippedLine(skipped.near, skipped.count))
    skipped = { count: 0, near: null }
  }
  return {
    push: (line) => {
      if (ended) return
      const cost = line.text.length * 2 + lineOverheadBytes
      if (bytes + cost > limitBytes) {
        skipped = { count: skipped.count + 1, near: line }
      } else {
        noteSkipped()
        lines.push(line)
        bytes += cost
      }
      notify()
    },
    end: () => {
      ended = true
      notify()
    },
    take: async () => {
      if (lines.length === 0 && skipped.near === null && !ended) await new Promise<void>((resolve) => (wake = resolve))
      // Tell a reader that has caught up at once: the next line may be a long time coming.
      if (lines.length === 0 || ended) noteSkipped()
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
