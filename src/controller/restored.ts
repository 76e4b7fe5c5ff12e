import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { removeFileDurably } from '../lib/durableFile.ts'
import { readJson } from '../lib/durableJson.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { awaited } from '../decider/recoverLog.ts'
import type { Controller } from './controller.ts'

const noteSchema = z.object({ id: z.string() })

/** Note of `tandem secrets restore` beside the log, until the log is recovered. */
const noteIn = (data: string): string => join(data, 'restored.json')

/** The id under which this log is to be recovered; `null`: it was not restored. */
export function restoredId(data: string): string | null {
  const note = readJson(noteIn(data))
  return note === null ? null : noteSchema.parse(note).id
}

/** Why a restored controller changes nothing yet, in words; `null`: it does. */
export function whyWaiting({ awaitsMachines, state, observed }: Controller): string | null {
  const waits = awaitsMachines ? awaited(state, observed) : null
  return waits && `restored from a backup, and changes nothing yet: ${waits.message}; ${waits.next}`
}

/**
 * Recovers a restored log once every machine in it has reported: what `tandem controller recover` does, which may come
 * first. The note goes last, and the log knows its id: so a crash between both repeats nothing.
 */
export function adoptWhenRestored(controller: Controller, data: string, logger: Logger): () => void {
  let isTrying = false
  const attempt = async (): Promise<void> => {
    const { restored: id, version, state, observed } = controller
    if (id !== null) {
      if (awaited(state, observed)) return
      await controller.execute({ type: 'RecoverLog', id, version, without: [] }, 'tandem secrets restore')
    }
    removeFileDurably(noteIn(data))
    stop()
  }
  const look = (): void => {
    if (isTrying) return
    isTrying = true
    attempt()
      .catch((err: unknown) => {
        // A machine may be new since the look; the next report looks again.
        if (err instanceof OperatorError && err.code === 'E_NO_MACHINE_REACHABLE') return
        logger.error({ err }, 'could not adopt what the machines run; trying again at the next report')
      })
      .finally(() => {
        isTrying = false
      })
  }
  if (restoredId(data) === null) return () => {}
  const stop = controller.onChange(look)
  look()
  return stop
}
