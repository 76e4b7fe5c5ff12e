import type { RolloutView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import { isCheckout } from '../../lib/programFolder.ts'
import type { Paint } from '../paint.ts'
import type { Told } from '../../demo/tour.ts'

/** Shows the measured figures, and commands to try next. */
export function renderDemo({ passed, seconds, second, broken, load, data, paint }: Told & { paint: Paint }): string {
  const ok = (good: boolean): string => (good ? paint('green', 'yes') : paint('red', 'NO'))
  const { requests, failed, failures } = load
  const figures: [string, string][] = [
    ['requests', `${requests} in ${showSeconds(load.seconds * 1000)}, to both machines`],
    ['failed', failed === 0 ? paint('green', '0') : paint('red', String(failed))],
    ['latency', `median ${load.medianMs.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms`],
    ['release 2', `rolled out in ${took(second)}: ${ok(second.state === 'completed')}`],
    ['release 3', `broken, reverted in ${took(broken)}: ${ok(broken.state === 'reverted')}`],
    ['total', showSeconds(seconds * 1000)],
  ]
  return [
    '',
    passed ? paint('green', 'No request failed.') : paint('red', 'The demo failed.'),
    ...figures.map(([name, value]) => `  ${paint('dim', name.padEnd(9))}  ${value}`),
    ...failures.map((failure) => `  ${paint('red', '!')} ${failure}`),
    '',
    'Try it yourself:',
    ...nextCommands(data === null ? '' : ` --data ${data}`),
  ].join('\n')
}

const stays = '     in one terminal; the next two in another'

/** An installed example is not in the user's current folder, and the user may not change it. */
const nextCommands = (data: string): string[] =>
  isCheckout
    ? [
        `  ./tandem up${data}${stays}`,
        '  ./tandem push examples/node',
        '  ./tandem open           the page of the cluster, in a browser',
      ]
    : [
        `  tandem up${data}${stays}`,
        '  tandem init && tandem push     in the folder of your service',
        '  tandem open                    the page of the cluster, in a browser',
      ]

const took = ({ startedAt, finishedAt }: RolloutView): string =>
  finishedAt === null ? 'no time' : showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))
