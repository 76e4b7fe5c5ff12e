import type { Logger } from 'pino'
import type { Clock } from '../../lib/clock.ts'
import type { ProgramHost } from '../../versions/programHost.ts'
import { keepProgram } from '../../versions/keepProgram.ts'
import { startProgress } from '../../versions/startProgress.ts'
import { thisProgram } from '../../versions/thisProgram.ts'
import type { Controller } from '../controller.ts'
import type { ReleaseRoom } from '../releaseRoom.ts'
import { followUpgrades } from './ownProgram.ts'

export interface UpgradeOptions {
  data: string
  /** The unit whose process, if it is this one, upgrades can replace; left out: upgrades leave the controller alone. */
  unit?: string
  /** Performs the operations of an upgrade that need root; left out: this process is root. */
  programs?: ProgramHost
}

/** For the trial of a new version, which waits while the start goes on. */
export const upgradeProgress = ({ unit, data }: UpgradeOptions, clock: Clock): ((done: string) => void) | undefined =>
  unit === undefined ? undefined : startProgress(data, thisProgram(), clock)

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
  const { unit, data, programs: host } = options
  const program =
    unit === undefined
      ? null
      : await keepProgram({ source: releases.depot, changed, unit, data, logger, host, changesParts: true }).catch(
          (err: unknown) => {
            // Without the system bus, for example. The controller must start nevertheless.
            logger.warn({ err }, 'an upgrade cannot change the program of this controller')
            return null
          },
        )
  if (program) controller.reportProgram(() => program.report())
  const own = program && followUpgrades(controller, program)
  return {
    // A trial of this program waits until the machines have reported; without machines, until the controller listens.
    listening: () => own?.follow(),
    close: () => program?.close(),
  }
}
