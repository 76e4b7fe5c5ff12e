import type { Overview } from '../../src/api/overview.ts'
import { count } from '../lib/numbers.ts'
import { clockTime } from '../lib/time.ts'

/** The answer to "is everything all right": the heading of the overview. `asOf`: the time of it, if that is past. */
export function headline({ wrong, services, machines }: Overview, asOf: number | null): string {
  const bad = wrong.filter(({ tone }) => tone === 'bad').length
  const running = services.filter(({ rollout }) => rollout !== null && rollout.finishedAt === null).length
  const parts = [
    ...(bad > 0 ? [count(bad, 'problem')] : []),
    ...(wrong.length > bad ? [count(wrong.length - bad, 'notice')] : []),
    ...(running > 0 ? [`${count(running, 'rollout')} ${asOf !== null ? 'ran' : running === 1 ? 'runs' : 'run'}`] : []),
  ]
  const all = `${count(services.length, 'service')} on ${count(machines.length, 'machine')}`
  const well = bad + wrong.length === 0 ? [`all well, ${all}`] : []
  const said = [...well, ...parts].join(asOf === null ? '. ' : ', ')
  const sentence = asOf === null ? said.charAt(0).toUpperCase() + said.slice(1) : `At ${clockTime(asOf)}: ${said}`
  return `${sentence}.`
}
