import type { Logger } from 'pino'
import { programFolder } from './lib/programFolder.ts'
import { createUnitControl } from './systemd/unitControl.ts'
import type { ProgramHost } from './versions/programHost.ts'
import { ProgramKeeper, type KeeperNeeds } from './versions/programKeeper.ts'
import { partsSeen } from './parts/partsSeen.ts'

interface Options {
  unit: string
  data: string
  logger: Logger
  /** Performs the operations that need root. Default: this process. */
  host?: ProgramHost | undefined
  /** False if Tandem's units, users and folders stay as they are. */
  changesParts: boolean
}

/** Manages the versions of this part's program, if `unit` runs this process. */
export const programOf =
  ({ unit, data, logger, host, changesParts }: Options) =>
  (needs: KeeperNeeds): Promise<ProgramKeeper | null> =>
    ProgramKeeper.open({
      ...{ ...needs, unit, data, logger, units: createUnitControl(), random: () => Math.random(), host },
      parts: changesParts ? partsSeen(unit, data) : null,
      own: {
        folder: programFolder,
        node: process.execPath,
        options: process.execArgv,
        words: process.argv.slice(2),
      },
    })
