import type { Logger } from 'pino'
import { partsSeen } from '../parts/partsSeen.ts'
import { createUnitControl } from '../systemd/unitControl.ts'
import type { ProgramHost } from './programHost.ts'
import { ProgramKeeper, type KeeperNeeds } from './programKeeper.ts'
import { thisProgram } from './thisProgram.ts'

interface Options extends KeeperNeeds {
  unit: string
  data: string
  logger: Logger
  /** Performs the operations that need root. Default: this process. */
  host?: ProgramHost | undefined
  /** False if Tandem's units, users and folders stay as they are. */
  changesParts: boolean
}

/** Manages the versions of this process's program; `null` if `unit` does not run this process. */
export const keepProgram = ({ changesParts, ...options }: Options): Promise<ProgramKeeper | null> =>
  ProgramKeeper.open({
    ...{ ...options, units: createUnitControl(), random: () => Math.random() },
    parts: changesParts ? partsSeen(options.unit, options.data) : null,
    own: thisProgram(),
  })
