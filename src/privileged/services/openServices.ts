import { join } from 'node:path'
import { openDataFolders } from '../../drivers/supervisor/dataFolders.ts'
import { withUsers } from '../../drivers/supervisor/systemd/serviceUsers.ts'
import { findRecord } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { openUnitHost, type UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { unitName } from '../../drivers/supervisor/systemd/unitName.ts'
import { cacheFolder, rootReleases } from '../../layout/dataFolder.ts'
import { configurationFolder, dataRoot, dataRoots, permitsFile, secretsFolder } from '../../layout/folders.ts'
import { noHome } from '../../layout/users.ts'
import { unitFolder } from '../../layout/units.ts'
import { objectsIn } from '../../releases/objectReading.ts'
import { OwnFolders } from '../../releases/releaseFolders.ts'
import { removeTree } from '../../releases/removeTree.ts'
import type { HelperContext } from '../helperContext.ts'
import type { RootFolder } from '../rootFolder.ts'
import { AcceptedOrders } from './acceptedOrders.ts'
import type { ServiceParts } from './operations.ts'
import { OnceStarted } from './onceStarted.ts'
import { OrderedPrograms, type ProgramExtra } from './orderedPrograms.ts'

/** Everything that makes programs of services, for more than one feature. */
export async function openOrderedPrograms({
  data,
  folder,
  now,
}: {
  data: string
  folder: RootFolder
  now: () => number
}) {
  const store = cacheFolder(data)
  const releases = await OwnFolders.open({ root: rootReleases(data), store, objects: objectsIn(store) })
  const orders = new AcceptedOrders({ folder, now })
  const programExtras: ProgramExtra[] = []
  const programs = new OrderedPrograms({
    ...{ orders, extras: programExtras, machine: () => folder.readMachine().machine, env: baseEnvironment() },
    portOf: (service, instance) => findRecord(unitFolder, unitName(service, instance))?.port ?? null,
    releaseFolder: (release) => releases.folder(release),
    dataFolder: (service) => join(dataRoot, service),
  })
  return { releases, orders, programs, programExtras }
}

export function openServices(context: HelperContext): ServiceParts {
  const { isOwnUnit, users, orders, programs, releases, unitExtras } = context
  return {
    ...{ unitFolder, isOwnUnit, secrets: secretsFolder, permits: permitsFile, orders, programs, unitExtras },
    isAgentOld: () => context.agentIsOld.some((isOld) => isOld()),
    releaseFolder: (release) => releases.folder(release),
    formerFolder: (release) => join(cacheFolder(context.data), 'releases', release),
    onceStarted: new OnceStarted(join(context.folder.path, 'started')),
    units: unitsFor(context, context.unprivileged.gid),
    data: withUsers(openDataFolders(dataRoots, removeTree), users),
  }
}

/** `streamsGroup`: whose members open the streams of attached programs. */
export const unitsFor = ({ data, folder, users, guards }: HelperContext, streamsGroup: number): UnitHost =>
  openUnitHost({
    ...{ unitFolder, environmentFolder: join(folder.path, 'environment') },
    ...{ hidden: [data, configurationFolder], streamsGroup, users, guards },
  })

/** The variables that programs inherit, as systemd gives them to the agent, whose user has no home. */
function baseEnvironment(): NodeJS.ProcessEnv {
  const { PATH, LANG, TZ } = process.env
  return { PATH, LANG, TZ, HOME: noHome }
}
