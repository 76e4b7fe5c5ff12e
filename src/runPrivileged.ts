import { join } from 'node:path'
import { systemClock } from './lib/clock.ts'
import { idOf } from './lib/accounts.ts'
import { serviceUsers } from './drivers/supervisor/systemd/serviceUsers.ts'
import { privilegedFolder, programsFolder } from './layout/dataFolder.ts'
import { secretsFolder } from './layout/folders.ts'
import { agentUser, haproxyUser } from './layout/users.ts'
import { controllerOperations, examinations, helperOperations, ownUnitKind, programUnits } from './machine/features.ts'
import { performer } from './privileged/performer.ts'
import { PrivilegedServer, type Perform } from './privileged/privilegedServer.ts'
import { openOrderedPrograms } from './privileged/services/openServices.ts'
import { mustBeOfRoot, RootFolder } from './privileged/rootFolder.ts'

/** The helper exits after this long without work. systemd starts it again at the next connection. */
const idleMs = 30_000
/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const firstListener = 3

/** Runs the privileged helper of the agent. */
export async function runPrivileged({ data }: { data: string }): Promise<number> {
  const folder = new RootFolder(data)
  folder.check()
  const now = (): number => systemClock.now()
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  const operations = await helperOperations({
    ...{ data, folder, programUnits, isOwnUnit: (unit) => ownUnitKind(unit) !== null },
    ...{ unprivileged: { uid, gid, haproxyGroup: haproxyUser } },
    ...{ users: serviceUsers(), guards: [], unitExtras: [], secretValues: [], agentIsOld: [] },
    ...(await openOrderedPrograms({ data, folder, now })),
    examine: async (self, settings) => {
      const { examineMachine } = await import('./examine/checkups.ts')
      const { machine } = folder.readMachine()
      return examineMachine({ machine, data, secretsFolder, self, settings, features: examinations })
    },
    now,
  })
  return serve(
    data,
    performer(operations, () => folder.check()),
  )
}

/** Runs the privileged helper of the controller. */
export async function runControllerHelper({ data }: { data: string }): Promise<number> {
  const check = (): void => {
    mustBeOfRoot(programsFolder(data))
    mustBeOfRoot(privilegedFolder(data), 0o077)
  }
  check()
  return serve(data, performer(await controllerOperations(data), check))
}

/** Answers on the socket that systemd opened, until it has been idle. */
async function serve(data: string, perform: Perform): Promise<number> {
  const over = Promise.withResolvers<void>()
  const server = new PrivilegedServer({ perform, idle: { ms: idleMs, over: over.resolve } })
  process.once('SIGTERM', over.resolve)
  process.once('SIGINT', over.resolve)
  await server.listen(
    process.env['LISTEN_FDS'] === '1' ? { fd: firstListener } : { path: join(data, 'privileged.sock') },
  )
  await over.promise
  await server.close()
  return 0
}
