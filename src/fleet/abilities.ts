import type { Observed } from '../decision/observed.ts'
import type { Definition } from '../definitions/definition.ts'
import { firstUnknown } from '../definitions/keyPaths.ts'
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

/**
 * Refuses a release with a key that some reachable machine's agent does not know. A machine that is to run the release reads
 * the whole definition; the others get it as `sent`. An agent refuses what it cannot read, and with it everything that the
 * controller wants of its machine.
 */
export function refuseUnknownKeys(
  state: FleetState,
  observed: Observed,
  {
    service,
    whole,
    sent,
    runs,
  }: { service: string; whole: Definition; sent: Definition; runs: (machine: string) => boolean },
): Refusal | null {
  for (const machine of Object.keys(state.machines).filter((one) => isReachable(state, one))) {
    const report = observed[machine]?.report
    const key = report ? firstUnknown(runs(machine) ? whole : sent, report.definitionKeys) : null
    if (!report || key === null) continue
    const message = `machine ${machine} runs Tandem ${report.version}, which does not know the key \`${key}\` of this definition`
    return refuse('E_NO_ABILITY', message, service, `tandem upgrade ARCHIVE, then push again; or leave \`${key}\` out`)
  }
  return null
}
