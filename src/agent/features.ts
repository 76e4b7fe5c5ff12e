import type { Logger } from 'pino'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import { openDataFolders } from '../drivers/supervisor/dataFolders.ts'
import type { ControllerConnection } from './controllerConnection.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { removeTree } from '../releases/removeTree.ts'
import { accessJobs } from './access/accessJobs.ts'
import { Accesses } from './access/accesses.ts'
import { commandJobs, type CommandWork } from './commandJobs.ts'
import type { AgentDisk } from './agentDisk.ts'
import { dataRemoval } from './dataRemoval/dataRemoval.ts'
import { Fetching, type FetchCache } from './fetching/fetching.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import { LastWords } from './lastWords/lastWords.ts'
import type { LateWrites } from './lateWrites.ts'
import type { FormerRecords } from './jobs/formerRecords.ts'
import { JobPrograms } from './jobs/jobPrograms.ts'
import { JobRecords } from './jobs/jobRecords.ts'
import { JobRunner, type JobParts } from './jobs/jobRunner.ts'
import type { MachineFeature } from './machineFeature.ts'
import type { InstancePorts } from './ports.ts'
import { formerPrepared } from './preparing/formerPrepared.ts'
import { Preparer } from './preparing/preparer.ts'
import { preparing } from './preparing/preparing.ts'
import type { Loopback } from './loopback.ts'
import type { Problems } from './problems.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'
import { InstanceMemory } from './services/instanceMemory.ts'
import { serviceOrders } from './services/serviceOrders.ts'
import { Services } from './services/services.ts'

/** Everything that a feature of an agent may use. */
export interface FeatureParts {
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  tcpOffset: number
  cache: FetchCache
  source: ReleaseSource
  connection: Pick<ControllerConnection, 'post'>
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
  /** Identifies the start of the machine (boot); empty where the agent cannot know. */
  bootMark: () => string
  /** Called whenever the next report would contain something new. */
  changed: () => void
}

/** A feature that the composition root hangs into an agent. */
export interface HungFeature<Feature extends MachineFeature = MachineFeature> {
  make: (parts: FeatureParts & { jobs: JobParts; programs: JobPrograms }) => Feature | Promise<Feature>
  /** Its jobs in the files of agents from before there were jobs. */
  formerJobs?: (disk: AgentDisk) => FormerRecords
}

/** Everything on this machine that runs once, over one file of records. */
export interface AgentJobs {
  programs: JobPrograms
  preparer: Preparer
  commands: JobRunner<CommandWork>
  accesses: Accesses
}

export type OwnFeatures = Awaited<ReturnType<typeof agentFeatures>>['own']

/**
 * All features of an agent, in the order in which they take a desired state: first its own, which run the services, then
 * those that are hung in.
 */
export async function agentFeatures(parts: FeatureParts, hung: readonly HungFeature[]) {
  const { supervisor, disk, ports, launcher, problems, lateWrites, clock, changed } = parts
  const former = [formerPrepared(disk), ...hung.flatMap(({ formerJobs }) => formerJobs?.(disk) ?? [])]
  const jobParts: JobParts = { ...parts, records: new JobRecords(disk, former), mark: parts.bootMark }
  const programs = new JobPrograms({ launcher, supervisor, ports, clock })
  const preparer = new Preparer(programs, jobParts)
  const commands = new JobRunner(commandJobs(programs), jobParts)
  const lastWords = new LastWords(parts)
  const services: Services = new Services({
    ...{ ...parts, programs, memory: new InstanceMemory(disk, lateWrites), limits: parts.instanceLimits },
    gone: () => void fetching.collect(),
    failed: (instance) => lastWords.take(instance),
    stops: (id) => accesses.instanceStops(id),
  })
  const besides = new JobRunner(accessJobs(programs), jobParts)
  const accesses: Accesses = new Accesses({ services, programs: besides, supervisor, clock })
  const jobs: AgentJobs = { programs, preparer, commands, accesses }
  const fetching: Fetching = new Fetching({
    ...{ ...parts, capBytes: parts.cacheCapBytes },
    inUse: () => [...[...services.all.values()].map(({ release }) => release), ...programs.releasesInUse()],
  })
  const own = {
    serviceOrders: serviceOrders(launcher),
    services,
    lastWords,
    fetching,
    preparing: preparing(preparer),
    dataRemoval: dataRemoval({
      folders: supervisor.dataFolders ?? openDataFolders([disk.data], removeTree),
      forget: (service) => supervisor.forget(service),
      isUsed: (service) => [...services.all.values()].some(({ definition }) => definition.service === service),
      ...{ problems, changed },
    }),
  }
  const others: MachineFeature[] = []
  for (const { make } of hung) others.push(await make({ ...parts, jobs: jobParts, programs }))
  return { own, all: [...Object.values(own), ...others] as readonly MachineFeature[], jobs }
}
