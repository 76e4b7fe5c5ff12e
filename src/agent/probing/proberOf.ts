import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ReleaseLauncher } from '../releaseLauncher.ts'
import { Prober } from './prober.ts'

type Of = Parameters<ReleaseLauncher['prober']>[1]

interface Parts {
  supervisor: SupervisorDriver
  launcher: ReleaseLauncher
  clock: Clock
}

/** No instance has a `.` in its id. */
const proberId = (instance: string): string => `${instance}.probe`

/** The prober of one life of an instance. The supervisor ends it with the agent. */
export function proberOf(of: Of, { supervisor, launcher, clock }: Parts, signal: AbortSignal): Prober {
  const { command = [], timeoutMs } = of.definition.health
  const id = proberId(of.id)
  const open = async () => {
    // A prober that could not be ended before is ended now.
    await supervisor.stop(id)
    // Each time by the newest order of the controller: a machine refuses older ones.
    const { streams } = await supervisor.start(await launcher.prober(id, of, signal))
    if (!streams) throw new Error('the supervisor gave the prober no streams')
    return { streams, end: () => supervisor.stop(id) }
  }
  return new Prober({ command, timeoutMs, clock, open })
}
