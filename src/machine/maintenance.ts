import type { JobParts } from '../agent/jobs/jobRunner.ts'
import { hasUnits } from '../definitions/driverRegistry.ts'
import type { HostDriver } from '../drivers/host/host.ts'
import { isMaintenanceUnit, scriptsFolder } from '../layout/maintenance.ts'
import { bootMark } from '../lib/bootId.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Maintenance: scripts and restarts of the machine itself. */
export const maintenance = {
  drivers: async (making: Making) => ({
    /** `null` if the agent may not maintain its machine. */
    hostDriver: hasUnits(making.drivers) ? await hostOf(making) : null,
  }),
  agent: async () => {
    const [{ maintenance: feature }, { MachineWork }, { formerWork }] = await Promise.all([
      import('../agent/maintenance/maintenance.ts'),
      import('../agent/maintenance/machineWork.ts'),
      import('../agent/maintenance/formerWork.ts'),
    ])
    return ({ hostDriver: host }: { hostDriver: HostDriver | null }) => ({
      make: ({ jobs }: { jobs: JobParts }) => feature(new MachineWork({ ...jobs, host }), host !== null),
      formerJobs: formerWork,
    })
  },
  operations: async (context) => {
    const { maintenanceOperations, openMaintenance } = await import('../privileged/maintenance/operations.ts')
    return maintenanceOperations({ ...context, ...openMaintenance(context) })
  },
  units: { isPassing: isMaintenanceUnit },
  leaving: { files: { agent: ['maintenance.json', 'maintenance'], helper: ['maintenance'] } },
} satisfies MachineSide

async function hostOf({ options: { data }, root }: Making): Promise<HostDriver> {
  if (root) return (await import('../privileged/maintenance/remote.ts')).remoteHost(root, bootMark)
  return (await import('../drivers/host/systemdHost.ts')).createSystemdHost(scriptsFolder(data))
}
