import { dirname } from 'node:path'
import { selfCommand } from '../lib/selfCommand.ts'
import { agentUnit } from '../layout/units.ts'
import { mayInstallUnits } from '../systemd/units.ts'
import { joinCluster, type Join } from './joinCluster.ts'
import { mustBeSeen } from '../parts/seenByPart.ts'
import { setUpAgent } from './setUpAgent.ts'
import { explained } from './explained.ts'

interface JoinedHere {
  machine: string
  cluster: string
  /** True if the agent runs as a unit. */
  started: boolean
  /** The things that features cannot do here, each following "the machine". */
  lacks: string[]
}

/** A feature's part of joining, as root. Resolves with the thing that it cannot do on this machine, in words; `null`: none. */
export type FeatureJoining = (join: Join) => Promise<string | null>

/** Makes this machine join a cluster. With `start`, root on a machine with systemd also sets up and starts its agent. */
export async function joinMachine(
  join: Join & { start: boolean },
  joinings: readonly FeatureJoining[],
  signal: AbortSignal,
): Promise<JoinedHere> {
  const { data, start } = join
  const started = start && mayInstallUnits()
  const { command, args } = selfCommand()
  if (started)
    mustBeSeen([command, ...args, dirname(data)], {
      ...{ part: 'agent', again: 'join again from there; the token is still valid' },
    })
  // Before the token is used up by joining.
  const lacks: (string | null)[] = []
  if (started) for (const joining of joinings) lacks.push(await joining(join))
  const joined = await joinCluster(join, signal)
  if (started) await explained(agentUnit, () => setUpAgent(data, joined))
  return {
    machine: joined.machine,
    cluster: joined.settings.cluster,
    started,
    lacks: lacks.filter((one) => one !== null),
  }
}
