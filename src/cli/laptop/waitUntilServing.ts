import type { ApiClient } from '../../api/client.ts'
import type { Status } from '../../api/views.ts'
import { pause } from '../../lib/backoff.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** Agents have said they are ready: this is until the controller has heard them too. */
const machinesLimitMs = 30_000
/** A service that ran before may take this long to come back; one that is broken must not hold everything up. */
const servicesLimitMs = 15_000
/** A first report is no event, so it is looked for. */
const lookEveryMs = 50

/** Resolves when every machine has reported and every service that should run is back; names those that are not. */
export async function waitUntilServing(client: ApiClient, machines: string[], signal: AbortSignal): Promise<string[]> {
  const startedAt = performance.now()
  for (;;) {
    const status = await client.call('status', {}, signal)
    const silent = machines.filter((name) => !reported(status, name))
    const away = status.services.filter(isAway).map(({ service }) => service)
    const waited = performance.now() - startedAt
    if (silent.length === 0 && (away.length === 0 || waited > servicesLimitMs)) return away
    if (waited > machinesLimitMs) throw neverReported(silent)
    await pause(lookEveryMs, signal)
    signal.throwIfAborted()
  }
}

const reported = ({ machines }: Status, name: string): boolean =>
  machines.some((machine) => machine.name === name && machine.lastSeen !== null && machine.state !== 'lost')

/** One that fails by itself is not waited for: `status` shows why. */
function isAway({ state, release, instances }: Status['services'][number]): boolean {
  if (state === 'stopped' || release === null) return false
  return instances.some((instance) => instance.state === 'starting')
}

function neverReported(silent: string[]): OperatorError {
  return new OperatorError('E_ENVIRONMENT', `machine ${silent.join(', ')} did not report to the controller in 30 s`, {
    subject: silent.join(', '),
    next: 'its agent.log in the data folder says why',
  })
}
