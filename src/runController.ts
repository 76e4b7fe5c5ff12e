import { join } from 'node:path'
import { pino } from 'pino'
import type { EntryPoints } from './cli/entryPoints.ts'
import { admittedIn, FounderTokens } from './controller/founderTokens.ts'
import { startController } from './controller/startController.ts'
import { DirectoryStore } from './releases/directoryStore.ts'
import { untilStopped } from './lib/untilStopped.ts'
import { readVersion } from './lib/version.ts'
import { controllerSocket } from './layout/folders.ts'
import { controllerHelperSocketUnit, controllerUnit } from './layout/units.ts'
import { privilegedHere } from './privileged/privilegedClient.ts'
import { controllerDrivers } from './machine/features.ts'

type Options = Parameters<EntryPoints['runController']>[0]

/** Runs the controller, with SQLite and a release folder, until a signal. */
export async function runController(options: Options): Promise<number> {
  const { cluster, laptop, data, host, port, storeCapBytes, admitFile } = options
  const logger = pino({ level: process.env['TANDEM_LOG'] ?? 'info' })
  const founders = new FounderTokens(data)
  const admit = [...admittedIn(admitFile), ...admittedIn(founders.path)]
  const root = privilegedHere({ path: controllerSocket, unit: controllerHelperSocketUnit })
  const controller = await startController({
    ...{ config: { cluster, laptop }, data, host, port, storeCapBytes, logger },
    version: readVersion(),
    ...{ unit: controllerUnit, ...(await controllerDrivers(root, data)) },
    examine: async () => (await import('./examine/checkups.ts')).examineController(data),
    store: await DirectoryStore.open(join(data, 'releases')),
    admit: admit.map(({ token, ...identity }) => ({ token, identity })),
  })
  // The database holds the tokens as hashes by now, so the file with the plain tokens is removed.
  founders.remove()
  logger.info({ url: controller.url }, 'the controller listens')
  process.send?.({ event: 'ready', url: controller.url })
  return untilStopped(logger, () => controller.close())
}
