import type { RolloutView } from '../../api/views.ts'
import type { Output } from '../output.ts'
import { outputLine, progressLines } from '../render/progressLines.ts'
import { rolloutTitle } from '../render/rolloutTitle.ts'

/** Shows a rollout while it runs. */
export interface Progress {
  update: (rollout: RolloutView) => void
  note: (text: string) => void
  /** A line that `prepare` wrote on that machine. */
  output: (machine: string, text: string) => void
  /** Removes the parts of the display that only a running rollout needs. May be called twice. */
  end: () => Promise<void>
}

/** Shows live lines on a terminal, else a line for each phase. Both go to stderr. */
export async function showProgress(out: Output, first: RolloutView): Promise<Progress> {
  out.note(rolloutTitle(first, out.paintNote))
  if (out.live) {
    const { liveProgress } = await import('./liveProgress.ts')
    return liveProgress(out, first)
  }
  const width = Math.max(...first.machines.map(({ machine }) => machine.length))
  let shown: RolloutView | null = null
  return {
    update: (rollout) => {
      for (const line of progressLines(shown, rollout)) out.note(line)
      shown = rollout
    },
    note: (text) => out.note(text),
    output: (machine, text) => out.note(outputLine(machine.padEnd(width), text, out.paintNote)),
    end: () => Promise.resolve(),
  }
}
