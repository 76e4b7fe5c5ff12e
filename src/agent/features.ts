import type { Logger } from 'pino'
import type { AddressDriver } from '../drivers/address/address.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { HostDriver } from '../drivers/host/host.ts'
import { openDataFolders } from '../drivers/supervisor/dataFolders.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import type { Report } from '../protocol/report.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { removeTree } from '../releases/removeTree.ts'
import type { KeeperNeeds, ProgramKeeper } from '../versions/programKeeper.ts'
import { Addresses } from './addresses/addresses.ts'
import { commandJobs, type CommandWork } from './commandJobs.ts'
import type { AgentDisk } from './agentDisk.ts'
import { dataRemoval } from './dataRemoval/dataRemoval.ts'
import { Fetching, type FetchCache } from './fetching/fetching.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import type { LateWrites } from './lateWrites.ts'
import { JobPrograms } from './jobs/jobPrograms.ts'
import { JobRecords } from './jobs/jobRecords.ts'
import { JobRunner, type JobParts } from './jobs/jobRunner.ts'
import { formerWork } from './maintenance/formerWork.ts'
import { MachineWork } from './maintenance/machineWork.ts'
import { maintenance } from './maintenance/maintenance.ts'
import type { InstancePorts } from './ports.ts'
import { formerPrepared } from './preparing/formerPrepared.ts'
import { Preparer } from './preparing/preparer.ts'
import { preparing } from './preparing/preparing.ts'
import type { Loopback } from './loopback.ts'
import type { Problems } from './problems.ts'
import { program } from './program/program.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'
import { InstanceMemory } from './services/instanceMemory.ts'
import { Services } from './services/services.ts'
import { settings } from './settings/settings.ts'
import type { TakeSettings } from './settings/settingsKeeper.ts'

/** The parts that the composition root makes for features: it alone picks implementations. */
export interface FeatureOptions {
  address: AddressDriver
  /** `null` where this agent may not work on its machine. */
  hostDriver: HostDriver | null
  /** Called with this machine's part of the cluster file whenever the controller sends it. */
  settings?: TakeSettings
  /** Makes the keeper of the agent's own program, where an upgrade can change the program. */
  program?: (needs: KeeperNeeds) => Promise<ProgramKeeper | null>
}

/** Everything that a feature of an agent may use. */
export interface FeatureParts {
  options: FeatureOptions
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  tcpOffset: number
  cache: FetchCache
  source: ReleaseSource
  /** Largest size of the release cache in bytes; `null` means no limit. */
  cacheCapBytes: number | null
  keepLast: number
  disk: AgentDisk
  ports: InstancePorts
  launcher: ReleaseLauncher
  loopback: Loopback
  problems: Problems
  lateWrites: LateWrites
  clock: Clock
  random: () => number
  logger: Logger
  instanceLimits?: Partial<InstanceLimits>
  /** Called whenever the next report would contain something new. */
  changed: () => void
}

/** Everything on this machine that runs once, over one file of records. */
export interface AgentJobs {
  programs: JobPrograms
  preparer: Preparer
  machineWork: MachineWork
  commands: JobRunner<CommandWork>
}

function openJobs({ disk, launcher, supervisor, ports, options, ...shared }: FeatureParts): AgentJobs {
  const programs = new JobPrograms({ launcher, supervisor, ports, clock: shared.clock })
  const host = options.hostDriver
  const parts: JobParts = {
    ...shared,
    records: new JobRecords(disk, [formerPrepared(disk), formerWork(disk)]),
    mark: () => host?.bootMark() ?? '',
  }
  return {
    programs,
    preparer: new Preparer(programs, parts),
    machineWork: new MachineWork({ ...parts, host }),
    commands: new JobRunner(commandJobs(programs), parts),
  }
}

export type Features = Awaited<ReturnType<typeof agentFeatures>>['features']

/** The slices of the report that the features make. */
export type ReportedSlices = Pick<Report, SliceOf<Features[keyof Features]>>
type SliceOf<F> = F extends { report: () => infer Slice } ? keyof Slice & keyof Report : never

/**
 * All features of an agent, in the order in which they take a desired state. A new feature hangs itself in here.
 */
export async function agentFeatures(parts: FeatureParts) {
  const { options, supervisor, balancer, source, disk, problems, lateWrites, clock, changed } = parts
  const keeper = (await options.program?.({ source, changed })) ?? null
  const jobs = openJobs(parts)
  const services: Services = new Services({
    ...{ ...parts, ...jobs, memory: new InstanceMemory(disk, lateWrites), limits: parts.instanceLimits },
    gone: () => void fetching.collect(),
  })
  const fetching: Fetching = new Fetching({
    ...{ ...parts, capBytes: parts.cacheCapBytes },
    inUse: () => [...[...services.all.values()].map(({ release }) => release), ...jobs.programs.releasesInUse()],
  })
  const features = {
    services,
    fetching,
    preparing: preparing(jobs.preparer),
    dataRemoval: dataRemoval({
      folders: supervisor.dataFolders ?? openDataFolders([disk.data], removeTree),
      forget: (service) => supervisor.forget(service),
      isUsed: (service) => [...services.all.values()].some(({ definition }) => definition.service === service),
      ...{ problems, changed },
    }),
    maintenance: maintenance(jobs.machineWork, options.hostDriver !== null),
    addresses: new Addresses({ driver: options.address, balancer, problems, clock, changed }),
    settings: settings(options.settings ?? (async () => {}), problems),
    program: program(keeper),
  }
  return { features, jobs }
}
