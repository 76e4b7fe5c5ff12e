import type { ApiClient } from '../../api/client.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { RolloutResult } from '../render/rolloutResult.ts'
import type { Session } from '../session.ts'
import { rollOut } from './rolling.ts'

/**
 * Restarts services after a change, one after the other, and stops at the first that fails. With `--json`, prints
 * `done`, which tells the change, together with the results, also when a rollout cannot begin.
 */
export async function rollAfter(
  session: Session,
  client: ApiClient,
  done: object,
  services: readonly string[],
): Promise<number> {
  const { out } = session
  const rollouts: RolloutResult[] = []
  try {
    for (const [at, service] of services.entries()) {
      const show = (result: RolloutResult): void => void (rollouts[at] = result)
      const exit = await rollOut(session, client, { service, kind: 'restart' }, { show })
      if (exit !== 0) {
        out.object({ ...done, rollouts })
        return exit
      }
    }
  } catch (error) {
    if (!out.json || !(error instanceof OperatorError)) throw error
    out.object({ ...done, rollouts, error: error.body() })
    return error.exitCode
  }
  out.object({ ...done, rollouts })
  return 0
}
