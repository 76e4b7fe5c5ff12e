import type { Observed } from '../decision/observed.ts'
import { refuse, type Refusal } from '../decision/refuse.ts'
import type { Ability } from '../protocol/slice.ts'
import { isReachable } from './serving.ts'
import type { FleetState } from './state.ts'

/** Refuses a change where a reachable machine reported that it lacks the ability: its agent would ignore that part. */
export function refuseInability(
  state: FleetState,
  observed: Observed,
  { name, words }: Pick<Ability<never>, 'name' | 'words'>,
  subject: string,
): Refusal | null {
  for (const machine of Object.keys(state.machines).filter((one) => isReachable(state, one))) {
    const report = observed[machine]?.report
    if (!report || report.abilities.includes(name)) continue
    const message = `machine ${machine} runs Tandem ${report.version}, which cannot ${words}`
    return refuse('E_NO_ABILITY', message, subject, 'tandem upgrade ARCHIVE, then push again')
  }
  return null
}
