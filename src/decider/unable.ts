import type { Moment } from '../decision/moment.ts'
import { refuse, type Refusal } from '../decision/refuse.ts'
import type { Report } from '../protocol/report.ts'
import { abilities } from '../protocol/slices.ts'
import { desiredState } from './desiredState.ts'
import type { World } from './rooms.ts'

/** Everything that the controller wants of a machine and that the machine's agent cannot do, in words. */
export function unableTo(world: World, { machine, abilities: able }: Report): string[] {
  const lacking = abilities.filter(({ name }) => !able.includes(name))
  if (lacking.length === 0) return []
  const desire = desiredState(world, machine)
  return lacking.flatMap(({ wanted }) => wanted(desire) ?? [])
}

/** Refuses a change that a machine could carry out only in part. `before` may hold such wants already. */
export function refuseUnable(before: World, after: World, { observed }: Moment): Refusal | null {
  for (const { report } of Object.values(observed)) {
    const known = unableTo(before, report)
    const [more] = unableTo(after, report).filter((words) => !known.includes(words))
    if (more !== undefined) return cannot(report, more)
  }
  return null
}

const cannot = ({ machine, version }: Report, words: string): Refusal =>
  refuse(
    'E_NO_ABILITY',
    `machine ${machine} runs Tandem ${version}, which cannot ${words}`,
    machine,
    'tandem upgrade ARCHIVE, then try again',
  )
