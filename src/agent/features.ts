import type { Logger } from 'pino'
import type { AddressDriver } from '../drivers/address/address.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { HostDriver } from '../drivers/host/host.ts'
import { openDataFolders } from '../drivers/supervisor/dataFolders.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import type { Report } from '../protocol/report.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { removeTree } from '../releases/removeTree.ts'
import type { ProgramKeeper } from '../versions/programKeeper.ts'
import { Addresses } from './addresses/addresses.ts'
import type { AgentJobs } from './agentJobs.ts'
import type { AgentDisk } from './agentDisk.ts'
import { dataRemoval } from './dataRemoval/dataRemoval.ts'
import { Fetching } from './fetching/fetching.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import type { LateWrites } from './lateWrites.ts'
import { maintenance } from './maintenance/maintenance.ts'
import type { InstancePorts } from './ports.ts'
import { preparing } from './preparing/preparing.ts'
import type { Problems } from './problems.ts'
import { program } from './program/program.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'
import { InstanceMemory } from './services/instanceMemory.ts'
import { Services } from './services/services.ts'
import { settings } from './settings/settings.ts'
import type { TakeSettings } from './settings/settingsKeeper.ts'

/** Everything that a feature of an agent may use. */
export interface FeatureParts {
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  address: AddressDriver
  /** `null` where this agent may not work on its machine. */
  host: HostDriver | null
  /** `null` where an upgrade cannot change the agent's program. */
  program: ProgramKeeper | null
  takeSettings: TakeSettings
  tcpOffset: number
  cache: ReleaseCache
  source: ReleaseSource
  /** Largest size of the release cache in bytes; `null` means no limit. */
  cacheCapBytes: number | null
  keepLast: number
  disk: AgentDisk
  ports: InstancePorts
  launcher: ReleaseLauncher
  jobs: Pick<AgentJobs, 'programs' | 'preparer' | 'machineWork'>
  problems: Problems
  lateWrites: LateWrites
  clock: Clock
  random: () => number
  logger: Logger
  instanceLimits?: Partial<InstanceLimits>
  /** Called whenever the next report would contain something new. */
  changed: () => void
}

export type Features = ReturnType<typeof agentFeatures>

/** The slices of the report that the features make. */
export type ReportedSlices = Pick<Report, SliceOf<Features[keyof Features]>>
type SliceOf<F> = F extends { report: () => infer Slice } ? keyof Slice & keyof Report : never

/**
 * All features of an agent, in the order in which they take a desired state. A new feature hangs itself in here.
 */
export function agentFeatures(parts: FeatureParts) {
  const { supervisor, balancer, disk, jobs, problems, lateWrites, address, host, clock, changed } = parts
  const services: Services = new Services({
    ...{
      ...parts,
      programs: jobs.programs,
      memory: new InstanceMemory(disk, lateWrites),
      limits: parts.instanceLimits,
    },
    gone: () => void fetching.collect(),
  })
  const fetching: Fetching = new Fetching({
    ...{ ...parts, capBytes: parts.cacheCapBytes },
    inUse: () => [...[...services.all.values()].map(({ release }) => release), ...jobs.programs.releasesInUse()],
  })
  return {
    services,
    fetching,
    preparing: preparing(jobs.preparer),
    dataRemoval: dataRemoval({
      folders: supervisor.dataFolders ?? openDataFolders([disk.data], removeTree),
      forget: (service) => supervisor.forget(service),
      isUsed: (service) => [...services.all.values()].some(({ definition }) => definition.service === service),
      ...{ problems, changed },
    }),
    maintenance: maintenance(jobs.machineWork, host !== null),
    addresses: new Addresses({ driver: address, balancer, problems, clock, changed }),
    settings: settings(parts.takeSettings, problems),
    program: program(parts.program),
  }
}
