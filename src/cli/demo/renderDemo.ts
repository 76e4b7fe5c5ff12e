import type { RolloutView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import { isCheckout } from '../../lib/programFolder.ts'
import type { Paint } from '../paint.ts'
import type { LoadReport } from './loadGenerator.ts'

interface DemoView {
  passed: boolean
  seconds: number
  second: RolloutView
  broken: RolloutView
  load: LoadReport
  /** Where it was kept, if it was. */
  data: string | null
  paint: Paint
}

/** What happened, in figures, and what to try next. */
export function renderDemo({ passed, seconds, second, broken, load, data, paint }: DemoView): string {
  const ok = (good: boolean): string => (good ? paint('green', 'yes') : paint('red', 'NO'))
  const { requests, failed, failures } = load
  const figures: [string, string][] = [
    ['requests', `${requests} in ${showSeconds(load.seconds * 1000)}, to both machines`],
    ['failed', failed === 0 ? paint('green', '0') : paint('red', String(failed))],
    ['latency', `median ${load.medianMs.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms`],
    ['release 2', `rolled out in ${took(second)}: ${ok(second.state === 'completed')}`],
    ['release 3', `broken, reverted in ${took(broken)}: ${ok(broken.state === 'reverted')}`],
    ['all of it', showSeconds(seconds * 1000)],
  ]
  return [
    '',
    passed ? paint('green', 'No request failed.') : paint('red', 'That did not go as it should.'),
    ...figures.map(([name, value]) => `  ${paint('dim', name.padEnd(9))}  ${value}`),
    ...failures.map((failure) => `  ${paint('red', '!')} ${failure}`),
    '',
    'Try it yourself:',
    ...nextCommands(data === null ? '' : ` --data ${data}`),
  ].join('\n')
}

/** An example that was installed is not in the folder where people are, and not theirs to change. */
const nextCommands = (data: string): string[] =>
  isCheckout
    ? [`  ./tandem up${data}`, '  ./tandem push examples/node', '  ./tandem status']
    : [`  tandem up${data}`, '  tandem init && tandem push     in the folder of a service of yours', '  tandem status']

const took = ({ startedAt, finishedAt }: RolloutView): string =>
  finishedAt === null ? 'no time' : showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))
