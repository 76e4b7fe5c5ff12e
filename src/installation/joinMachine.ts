import { dirname } from 'node:path'
import { selfCommand } from '../lib/selfCommand.ts'
import { agentUnit } from '../layout/units.ts'
import { mayInstallUnits } from '../systemd/units.ts'
import { joinCluster, type Join } from './joinCluster.ts'
import { mustBeSeen } from '../parts/seenByPart.ts'
import { setUpAgent } from './setUpAgent.ts'
import { explained } from './explained.ts'
import { registerHelperKey } from './registerHelperKey.ts'

interface JoinedHere {
  machine: string
  cluster: string
  /** True if the agent runs as a unit. */
  started: boolean
  /** Why the machine cannot receive secrets; `null`: it can, or it was not set up here. */
  keyless: string | null
}

/** Makes this machine join a cluster. With `start`, root on a machine with systemd also sets up and starts its agent. */
export async function joinMachine(join: Join & { start: boolean }, signal: AbortSignal): Promise<JoinedHere> {
  const { data, start } = join
  const started = start && mayInstallUnits()
  const { command, args } = selfCommand()
  if (started)
    mustBeSeen([command, ...args, dirname(data)], {
      ...{ part: 'agent', again: 'join again from there; the token is still valid' },
    })
  // Before the token is used up by joining.
  const keyless = started ? await registerHelperKey(join) : null
  const joined = await joinCluster(join, signal)
  if (started) await explained(agentUnit, () => setUpAgent(data, joined))
  return { machine: joined.machine, cluster: joined.settings.cluster, started, keyless }
}
