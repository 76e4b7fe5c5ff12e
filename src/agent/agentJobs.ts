import type { HostDriver } from '../drivers/host/host.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { AgentDisk } from './agentDisk.ts'
import { commandJobs, type CommandWork } from './commandJobs.ts'
import { JobPrograms } from './jobs/jobPrograms.ts'
import { JobRecords } from './jobs/jobRecords.ts'
import { JobRunner, type JobParts } from './jobs/jobRunner.ts'
import { MachineWork } from './machineWork.ts'
import type { InstancePorts } from './ports.ts'
import { Preparer } from './preparer.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'

interface Needs extends Omit<JobParts, 'records' | 'mark'> {
  disk: AgentDisk
  launcher: ReleaseLauncher
  supervisor: SupervisorDriver
  ports: InstancePorts
  /** `null` where the agent may not run maintenance on its machine. */
  host: HostDriver | null
}

export interface AgentJobs {
  programs: JobPrograms
  preparer: Preparer
  machineWork: MachineWork
  commands: JobRunner<CommandWork>
}

/** Everything that runs once on this machine, over one file of records. */
export function openJobs({ disk, launcher, supervisor, ports, host, ...shared }: Needs): AgentJobs {
  const programs = new JobPrograms({ launcher, supervisor, ports, clock: shared.clock })
  const parts = { ...shared, records: new JobRecords(disk), mark: (): string => host?.bootMark() ?? '' }
  return {
    programs,
    preparer: new Preparer(programs, parts),
    machineWork: new MachineWork({ ...parts, host }),
    commands: new JobRunner(commandJobs(programs), parts),
  }
}
