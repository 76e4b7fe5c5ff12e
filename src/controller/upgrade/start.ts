import type { Logger } from 'pino'
import type { KeeperNeeds, ProgramKeeper } from '../../versions/programKeeper.ts'
import type { Controller } from '../controller.ts'
import type { ReleaseRoom } from '../releaseRoom.ts'
import { followUpgrades } from './ownProgram.ts'

export interface UpgradeOptions {
  /** Keeps the controller's own program, where an upgrade can change it. */
  program?: (needs: KeeperNeeds) => Promise<ProgramKeeper | null>
}

interface Parts {
  controller: Controller
  releases: ReleaseRoom
  logger: Logger
  options: UpgradeOptions
}

/** Lets upgrades change the controller's own program. */
export async function startUpgrades({ controller, releases, logger, options }: Parts) {
  const changed = (): void => {
    controller
      .execute({ type: 'LookAgain' })
      .catch((err: unknown) => logger.error({ err }, 'could not record the state of an upgrade; retrying'))
  }
  const program = (await options.program?.({ source: releases.depot, changed })) ?? null
  if (program) controller.reportProgram(() => program.report())
  const own = program && followUpgrades(controller, program)
  return {
    // A trial of this program waits until the machines have reported; without machines, until the controller listens.
    listening: () => own?.follow(),
    close: () => program?.close(),
  }
}
