import type { Base } from './base.ts'
import { limits } from './limits.ts'
import type { Moment } from './moment.ts'
import { refuse, type Decision, type Refusal } from './refuse.ts'

/**
 * Decides only while no machine has seen a newer log than this one: the machines would not obey. In a restored log, that
 * is known once all have reported.
 */
export const unlessBehind =
  <World extends Base, Command>(decide: (world: World, command: Command, moment: Moment) => Decision) =>
  (world: World, command: Command, moment: Moment): Decision =>
    refuseBehind(world, moment) ?? decide(world, command, moment)

function refuseBehind({ config }: Base, { observed, at, self }: Moment): Refusal | null {
  for (const { report, at: heard } of Object.values(observed)) {
    // The last refusal of a silent machine says nothing about now.
    if (!report.refused || at - heard > limits.silenceMs) continue
    const message = `machine ${report.machine} refuses this controller: ${report.refused.message}`
    const next = 'if this controller is the right one (its log was restored or lost): tandem controller recover'
    return refuse('E_LOG_BEHIND', message, config.cluster, next)
  }
  if (!self.awaitsMachines) return null
  const message = 'this controller was restored from a backup, and adopts what the machines run once all have reported'
  return refuse('E_LOG_BEHIND', message, config.cluster, 'tandem status   names the machines that it waits for')
}
