import { constants } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { linesOf } from './lineReader.ts'
import type { ToldEnding } from './life.ts'

/** systemd's id of "Main process exited", told of every end that is not a success (sd-messages.h). */
const processExited = '98e322203f7a4ed290d09fe03c09fe15'
/** Its id of "Failed with result", told after that of the same life. */
const unitFailed = 'd9b373ed55a64feb8242e02dbe79a49c'
const codes: Record<string, number> = { exited: 1, killed: 2, dumped: 3 }
const againMs = 1_000
const overlapS = 5
const fields = ['UNIT', 'MESSAGE_ID', 'EXIT_CODE', 'EXIT_STATUS', 'UNIT_RESULT', 'INVOCATION_ID']
const journalctl = ['journalctl', '--quiet', '--output=json', `--output-fields=${fields.join(',')}`]

interface Watcher {
  /** Something happened to this unit. */
  touched: (unit: string) => void
  /** Nothing may have been seen for a while: look at all. */
  missed: () => void
  ending: (unit: string, ending: ToldEnding) => void
  failed: (unit: string, invocation: string, result: string) => void
}

/**
 * Follows what PID 1 says of our units in the journal, until the signal. It is a bell, not the truth: that is read from
 * systemd after each. When the follower dies, another is started and everything is looked at anew.
 */
export async function watchUnits({ touched, missed, ending, failed }: Watcher, signal: AbortSignal): Promise<void> {
  const heard = (json: string): void => {
    const said = JSON.parse(json) as Record<string, unknown> // journalctl's own output
    const unit = said['UNIT']
    if (typeof unit !== 'string' || !unit.startsWith('tandem-')) return
    if (said['MESSAGE_ID'] === processExited) {
      const told = { invocation: String(said['INVOCATION_ID']), code: codes[String(said['EXIT_CODE'])] ?? 1 }
      ending(unit, { ...told, status: signalOrStatus(said['EXIT_STATUS']) })
    }
    if (said['MESSAGE_ID'] === unitFailed) failed(unit, String(said['INVOCATION_ID']), String(said['UNIT_RESULT']))
    touched(unit)
  }
  const read = async (more: string[]): Promise<void> => {
    for await (const json of linesOf([...journalctl, ...more, `--since=-${overlapS}s`, '_PID=1', '_UID=0'], signal))
      heard(json)
  }
  while (!signal.aborted) {
    try {
      // A little of what was before too: what happens until the follower has begun must not fall between. First what is there
      // already: how a life ended is only told here, once the next has begun.
      await read([]).catch(() => {}) // what cannot be read now is in the follower's own overlap, as a rule
      missed()
      await read(['--follow', '--no-tail'])
    } catch {
      // The journal is away for a moment: the next round looks at all.
    }
    if (!signal.aborted) await pause(againMs, undefined, { signal }).catch(() => {})
  }
}

/** `3`, or the name of a signal without SIG: `KILL`. */
function signalOrStatus(value: unknown): number {
  const text = String(value)
  const number = Number(text)
  return Number.isNaN(number) ? ((constants.signals as Record<string, number>)[`SIG${text}`] ?? 0) : number
}
