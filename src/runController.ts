import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import type { Programs } from './cli/programs.ts'
import { startController } from './controller/startController.ts'
import { DirectoryStore } from './releases/directoryStore.ts'
import { untilStopped } from './untilStopped.ts'
import { readVersion } from './version.ts'

const admitSchema = z.array(
  z.object({
    token: z.string(),
    role: z.enum(['operator', 'reader', 'agent']),
    machine: z.string().nullable(),
    name: z.string(),
  }),
)

type Options = Parameters<Programs['runController']>[0]

/** The controller as a process: SQLite, releases in a folder, until a signal. */
export async function runController(options: Options): Promise<number> {
  const { cluster, laptop, data, host, port, storeCapBytes, admitFile } = options
  const logger = pino({ level: process.env['TANDEM_LOG'] ?? 'info' })
  const admit = admitFile === null ? [] : admitSchema.parse(JSON.parse(readFileSync(admitFile, 'utf8')))
  const controller = await startController({
    ...{ config: { cluster, laptop }, data, host, port, storeCapBytes, logger },
    version: readVersion(),
    store: await DirectoryStore.open(join(data, 'releases')),
    admit: admit.map(({ token, ...identity }) => ({ token, identity })),
  })
  logger.info({ url: controller.url }, 'the controller listens')
  process.send?.({ event: 'ready', url: controller.url })
  return untilStopped(logger, () => controller.close())
}
