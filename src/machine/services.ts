import { supervisorDrivers, type Drivers } from '../definitions/driverRegistry.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { supervisorFolder } from '../layout/dataFolder.ts'
import { configurationFolder, dataRoots } from '../layout/folders.ts'
import { systemClock } from '../lib/clock.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Services: their instances, supervised by systemd or by the agent, and their data. */
export const services = {
  drivers: async (making: Making) => ({ supervisor: await supervisors[making.drivers.supervisor](making) }),
  operations: async (context) => {
    const [{ openServices }, { serviceOperations }] = await Promise.all([
      import('../privileged/services/openServices.ts'),
      import('../privileged/services/operations.ts'),
    ])
    return serviceOperations(openServices(context))
  },
  examination: { programs: ({ drivers }) => [supervisorDrivers[drivers.supervisor].program] },
  leaving: { files: { agent: ['prepared.json', 'instances.json'] } },
} satisfies MachineSide

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
