import { hasUnits } from '../definitions/driverRegistry.ts'
import { fillProgram } from '../layout/files.ts'
import type { FeatureParts } from '../agent/features.ts'
import type { JobParts } from '../agent/jobs/jobRunner.ts'
import type { JobPrograms } from '../agent/jobs/jobPrograms.ts'
import type { FilesHost } from '../drivers/files/filesHost.ts'
import type { MachineSide, Making } from './machineSide.ts'

type Parts = FeatureParts & { jobs: JobParts; programs: JobPrograms }

/** The files of services, filled in from templates. */
export const files = {
  /** `null`: an agent that is root has no helper that could fill them in. */
  drivers: async ({ root, drivers }: Making): Promise<{ files: FilesHost | null }> => {
    if (root) return { files: (await import('../privileged/files/remote.ts')).remoteFiles(root) }
    if (hasUnits(drivers)) return { files: null }
    return { files: (await import('../drivers/files/ownFiles.ts')).ownFiles(process.env) }
  },
  agent: async () => {
    const [{ Files }, { checkJobs }, { JobRunner }, { unable }] = await Promise.all([
      import('../agent/files/files.ts'),
      import('../agent/files/checkJobs.ts'),
      import('../agent/jobs/jobRunner.ts'),
      import('../agent/files/unable.ts'),
    ])
    return ({ files: host }: { files: FilesHost | null }) => ({
      make: ({ jobs, programs, ...parts }: Parts) =>
        host ? new Files({ ...parts, host, checks: new JobRunner(checkJobs(programs), jobs) }) : unable(),
    })
  },
  operations: async (context) => (await import('../privileged/files/operations.ts')).openFiles(context),
  programs: {
    [fillProgram]: {
      run: async () => (await import('../templates/program.ts')).runFill(process.stdin, process.stdout),
    },
  },
} satisfies MachineSide
