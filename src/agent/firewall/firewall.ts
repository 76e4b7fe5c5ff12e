import type { FirewallDriver } from '../../drivers/firewall/firewall.ts'
import { coalesced } from '../../lib/coalesced.ts'
import type { Clock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Report } from '../../protocol/report.ts'
import { shortened } from '../agentReport.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'

interface Parts {
  driver: FirewallDriver
  problems: Pick<Problems, 'add' | 'solved'>
  clock: Clock
  changed: () => void
}

/** Time between two looks at the counts: each starts the privileged helper. If the table is gone, it looks at once. */
export const lookEveryMs = 60_000

type Slice = Pick<Report, 'firewall'>

/** Who may connect to which service on this machine, and who tried. */
export function firewall({ driver, problems, clock, changed }: Parts): MachineFeature<Slice> {
  let wanted: DesiredState['firewall'] | undefined
  let held: string | null = null
  let lookedAt = -Infinity
  /** False where rules of others answer in the place of the table. */
  let isSignTrue = true
  let failure: string | null = null
  let calls: Slice['firewall']['calls'] = []
  let strangers: string[] = []
  const attempt = async (): Promise<void> => {
    if (wanted === undefined || driver.why !== null) return
    const text = JSON.stringify(wanted)
    if (text !== held) {
      await driver.hold(wanted)
      isSignTrue = true
    }
    held = text
    if (wanted === null) return
    const isGone = isSignTrue && !(await driver.seemsThere())
    if (!isGone && clock.monotonic() - lookedAt < lookEveryMs) return
    lookedAt = clock.monotonic()
    const seen = await driver.look()
    if (isGone && seen?.isRestored === false) isSignTrue = false
    calls = seen?.calls ?? []
    strangers = seen?.problems ?? []
  }
  const work = coalesced(async () => {
    const before = JSON.stringify([calls, failure])
    try {
      await attempt()
      failure = null
      problems.solved('firewall')
    } catch (error) {
      held = null
      failure = error instanceof Error ? error.message : String(error)
      problems.add('firewall', error)
    }
    if (JSON.stringify([calls, failure]) !== before) changed()
  })
  const state = (): Slice['firewall']['state'] => {
    if (!wanted) return 'off'
    if (failure !== null || driver.why !== null) return 'unable'
    return wanted.mode === 'enforce' ? 'enforcing' : 'observing'
  }
  return {
    want: (desired) => {
      wanted = desired.firewall
      if (JSON.stringify(wanted) !== held) void work.ask()
    },
    retry: () => void work.ask(),
    problems: () => [
      ...(wanted?.mode === 'enforce' && driver.why !== null
        ? [`nothing keeps services of this machine from each other: ${driver.why}`]
        : []),
      ...strangers,
    ],
    report: () => {
      const why = wanted ? (driver.why ?? failure) : null
      return { firewall: { state: state(), why: why === null ? null : shortened(why), calls } }
    },
    close: () => work.idle(),
  }
}
