import type { LogLine } from '../supervisor.ts'

/**
 * Lines on their way to one reader. When the reader is slow and the queue is full, the queue skips lines; a `tandem`
 * line reports how many.
 */
export interface LineQueue {
  push(line: LogLine): void
  /** Ends the queue. Lines pushed before are still delivered. */
  end(): void
  /** All queued lines; waits for the first. `null` when the queue has ended and is empty. */
  take(): Promise<LogLine[] | null>
}

/** Memory that a line costs besides its text. */
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
  /** Puts a note in the place of the skipped lines. */
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
      // A reader that has caught up receives the note at once: the next line may take a long time to come.
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
