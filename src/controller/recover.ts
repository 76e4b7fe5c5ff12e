import type { Operations, Result } from '../api/contract.ts'
import type { Controller } from './controller.ts'
import type { Deciding } from './deciding.ts'

/** Continues with a log that was restored or lost: see src/decider/recoverLog.ts. */
export function recover(controller: Controller): Deciding<Result<Operations['recover']>> {
  const id = controller.newId()
  return {
    request: () => ({ type: 'RecoverLog', id, version: controller.version }),
    answer: () => {
      const { position, terms } = controller.state
      return { position, term: terms.at(-1)?.term ?? 0, adopted: Object.keys(controller.observed) }
    },
  }
}
