import type { Logger } from 'pino'
import { programFolder } from './lib/programFolder.ts'
import { createUnitControl } from './systemd/unitControl.ts'
import type { ProgramHost } from './versions/programHost.ts'
import { ProgramKeeper, type KeeperNeeds } from './versions/programKeeper.ts'

/** Manages the versions of this part's program, if `unit` runs this process. */
export const programOf =
  (unit: string, data: string, logger: Logger, host?: ProgramHost) =>
  (needs: KeeperNeeds): Promise<ProgramKeeper | null> =>
    ProgramKeeper.open({
      ...{ ...needs, unit, data, logger, units: createUnitControl(), random: () => Math.random(), host },
      own: {
        folder: programFolder,
        node: process.execPath,
        options: process.execArgv,
        words: process.argv.slice(2),
      },
    })
