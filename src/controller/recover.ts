import type { Operations, Result } from '../api/contract.ts'
import type { Controller } from './controller.ts'

/** Continues with a log that was restored or lost: see src/decider/recoverLog.ts. */
export async function recover(controller: Controller): Promise<Result<Operations['recover']>> {
  await controller.execute({ type: 'RecoverLog', id: controller.newId(), version: controller.version })
  const { position, terms } = controller.state
  return { position, term: terms.at(-1)?.term ?? 0, adopted: Object.keys(controller.observed) }
}
