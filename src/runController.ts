import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import type { EntryPoints } from './cli/entryPoints.ts'
import { startController } from './controller/startController.ts'
import { DirectoryStore } from './releases/directoryStore.ts'
import { programOf } from './programOf.ts'
import { untilStopped } from './untilStopped.ts'
import { readVersion } from './lib/version.ts'
import { controllerUnit } from './layout/units.ts'

const admitSchema = z.array(
  z.object({
    token: z.string(),
    role: z.enum(['operator', 'reader', 'agent']),
    machine: z.string().nullable(),
    name: z.string(),
  }),
)

/** File in which `tandem controller init` stores the founder's token for the first start. */
export const admitFileIn = (data: string): string => join(data, 'admit.json')

type Options = Parameters<EntryPoints['runController']>[0]

/** Runs the controller, with SQLite and a release folder, until a signal. */
export async function runController(options: Options): Promise<number> {
  const { cluster, laptop, data, host, port, storeCapBytes, admitFile } = options
  const logger = pino({ level: process.env['TANDEM_LOG'] ?? 'info' })
  const founded = admitFileIn(data)
  const admit = [admitFile, founded].flatMap((file) =>
    file !== null && existsSync(file) ? admitSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : [],
  )
  const controller = await startController({
    ...{ config: { cluster, laptop }, data, host, port, storeCapBytes, logger },
    version: readVersion(),
    program: programOf(controllerUnit, data, logger),
    examine: async () => (await import('./checkups.ts')).examineController(data),
    store: await DirectoryStore.open(join(data, 'releases')),
    admit: admit.map(({ token, ...identity }) => ({ token, identity })),
  })
  // The database holds the tokens as hashes by now, so the file with the plain tokens is removed.
  rmSync(founded, { force: true })
  logger.info({ url: controller.url }, 'the controller listens')
  process.send?.({ event: 'ready', url: controller.url })
  return untilStopped(logger, () => controller.close())
}
