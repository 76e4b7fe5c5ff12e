import type { ApiClient } from '../api/client.ts'
import type { Status } from '../api/views.ts'
import { sleep, systemClock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** Time limit until the controller has received a report from every agent; the agents are already ready. */
const machinesLimitMs = 30_000
/** Time limit for services of an earlier run to become ready. A broken service must not delay the start for longer. */
const servicesLimitMs = 15_000
/** Polling interval: no event announces a first report. */
const lookEveryMs = 50

/** Resolves when every machine has reported and every service is ready or late. Returns the names of late services. */
export async function waitUntilServing(client: ApiClient, machines: string[], signal: AbortSignal): Promise<string[]> {
  const startedAt = performance.now()
  for (;;) {
    const status = await client.call('status', {}, signal)
    const silent = machines.filter((name) => !reported(status, name))
    const away = status.services.filter(isAway).map(({ service }) => service)
    const waited = performance.now() - startedAt
    if (silent.length === 0 && (away.length === 0 || waited > servicesLimitMs)) return away
    if (waited > machinesLimitMs) throw neverReported(silent)
    await sleep(systemClock, lookEveryMs, signal)
    signal.throwIfAborted()
  }
}

const reported = ({ machines }: Status, name: string): boolean =>
  machines.some((machine) => machine.name === name && machine.lastSeen !== null && machine.state !== 'lost')

/** True while an instance starts. A failed instance is not waited for: `tandem status` shows the reason. */
function isAway({ state, release, instances }: Status['services'][number]): boolean {
  if (state === 'stopped' || release === null) return false
  return instances.some((instance) => instance.state === 'starting')
}

function neverReported(silent: string[]): OperatorError {
  return new OperatorError('E_ENVIRONMENT', `machine ${silent.join(', ')} did not report to the controller in 30 s`, {
    subject: silent.join(', '),
    next: 'read agent.log in the folder of the machine, below the data folder',
  })
}
