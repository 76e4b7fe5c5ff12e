import type { Operations, Parsed, Result } from '../api/contract.ts'
import type { Controller } from './controller.ts'
import type { Deciding } from './deciding.ts'

/** Continues with a log that was restored or lost: see src/decider/recoverLog.ts. */
export function recover(
  controller: Controller,
  body?: Parsed<Operations['recover']>['body'],
): Deciding<Result<Operations['recover']>> {
  const id = controller.restored ?? controller.newId()
  return {
    request: () => ({ type: 'RecoverLog', id, version: controller.version, without: body?.without ?? [] }),
    answer: () => {
      const { position, terms } = controller.state
      return { position, term: terms.at(-1)?.term ?? 0, adopted: Object.keys(controller.observed) }
    },
  }
}
