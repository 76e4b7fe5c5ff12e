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
  /** Takes away what only a running rollout needs; may be called twice. */
  end: () => Promise<void>
}

/** Live lines on a terminal, a line for each phase elsewhere, on stderr both. */
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
