import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { RolloutView } from '../../api/views.ts'
import type { Output } from '../output.ts'
import { plain, type Paint } from '../paint.ts'
import { machineLine, outputLine } from '../render/progressLines.ts'
import type { Progress } from './progress.ts'

/** Interval at which the seconds of the running phase are updated. */
const tickMs = 100
/** Number of visible lines of the output of a running `prepare`. */
const outputLines = 5

/** A machine where the rollout did not end well. */
class Failed extends Error {}

/** One line for each machine, which listr2 redraws until the rollout ends. */
export function liveProgress(out: Output, first: RolloutView): Progress {
  let rollout = first
  const ended = Promise.withResolvers<void>()
  const paint: Paint = out.paintNote === plain ? plain : out.paintNote
  const width = Math.max(...first.machines.map(({ machine }) => machine.length))
  const stderr = out.stderr as NodeJS.WriteStream // this is used only if stderr is a terminal
  const titles: (() => void)[] = []
  let output: string[] = []
  const outputOf = (machine: string): string[] =>
    rollout.prepare?.machine === machine && rollout.prepare.finishedAt === null ? output : []
  const list = new Listr(
    first.machines.map(({ machine }) => ({
      title: machine,
      task: async (_context: unknown, task: { title: string | undefined }) => {
        const draw = (): void => {
          const lines = [machineLine(rollout, machine, width, Date.now(), paint), ...outputOf(machine)]
          task.title = out.shownNote(lines.join('\n'))
        }
        titles.push(draw)
        draw()
        await ended.promise
        draw()
        const state = rollout.machines.find((one) => one.machine === machine)?.state
        if (state !== 'done' && state !== 'untouched') throw new Failed(state) // listr2 draws a cross
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      collectErrors: false,
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: {
        collapseErrors: false,
        showErrorMessage: false,
        logger: new ListrLogger({ processOutput: new ProcessOutput(stderr, stderr) }),
      },
    },
  )
  const draws = list.run()
  const tick = setInterval(() => redraw(), tickMs)
  const redraw = (): void => {
    for (const draw of titles) draw()
  }
  return {
    update: (next) => {
      rollout = next
      redraw()
    },
    note: (text) => out.note(text),
    output: (machine, text) => {
      output = [...output, outputLine(' '.repeat(machine.length), text, paint)].slice(-outputLines)
      redraw()
    },
    end: async () => {
      clearInterval(tick)
      ended.resolve()
      await draws
    },
  }
}
