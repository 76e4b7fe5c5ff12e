import { supervisorDrivers, type Drivers } from '../definitions/driverRegistry.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { supervisorFolder } from '../layout/dataFolder.ts'
import { configurationFolder, dataRoots } from '../layout/folders.ts'
import { systemClock } from '../lib/clock.ts'
import type { ReleaseFolders } from '../releases/releaseFolders.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Services: their instances, supervised by systemd or by the agent, and their data. */
export const services = {
  drivers: async (making: Making): Promise<ServiceDrivers> => ({
    supervisor: await supervisors[making.drivers.supervisor](making),
    ...(making.root ? { foldersIn: await remoteFoldersOf(making.root) } : {}),
  }),
  operations: async (context) => {
    const [{ openServices }, { serviceOperations }, { releaseOperations }] = await Promise.all([
      import('../privileged/services/openServices.ts'),
      import('../privileged/services/operations.ts'),
      import('../privileged/releases/operations.ts'),
    ])
    return { ...serviceOperations(openServices(context)), ...releaseOperations(context.releases) }
  },
  examination: { programs: ({ drivers }) => [supervisorDrivers[drivers.supervisor].program] },
  leaving: { files: { agent: ['prepared.json', 'instances.json'] } },
} satisfies MachineSide

interface ServiceDrivers {
  supervisor: SupervisorDriver
  /** Where the folders of releases are, unless the agent keeps them itself. */
  foldersIn?: (own: ReleaseFolders) => ReleaseFolders
}

const supervisors: Record<Drivers['supervisor'], (making: Making) => Promise<SupervisorDriver>> = {
  systemd: async ({ options: { data }, root, confines }) => {
    const { createSystemdSupervisor } = await import('../drivers/supervisor/systemd/systemdSupervisor.ts')
    return createSystemdSupervisor({
      dir: supervisorFolder(data),
      clock: systemClock,
      hidden: [data, configurationFolder],
      confines,
      ...(await (root ? remote(root) : direct())),
    })
  },
  process: async ({ options: { data }, identity: { machine } }) => {
    const { createProcessSupervisor } = await import('../drivers/supervisor/process/processSupervisor.ts')
    return createProcessSupervisor({ dir: supervisorFolder(data), machine, clock: systemClock })
  },
}

async function remoteFoldersOf(root: NonNullable<Making['root']>) {
  const { remoteFolders } = await import('../privileged/releases/remote.ts')
  return (own: ReleaseFolders) => remoteFolders(root, own)
}

async function remote(root: NonNullable<Making['root']>) {
  const { remoteData, remoteUnits } = await import('../privileged/services/remote.ts')
  return { host: remoteUnits(root), dataFolders: remoteData(root) }
}

async function direct() {
  const [{ openDataFolders }, { serviceUsers, withUsers }, { removeTree }] = await Promise.all([
    import('../drivers/supervisor/dataFolders.ts'),
    import('../drivers/supervisor/systemd/serviceUsers.ts'),
    import('../releases/removeTree.ts'),
  ])
  return { dataFolders: withUsers(openDataFolders(dataRoots, removeTree), serviceUsers()) }
}
