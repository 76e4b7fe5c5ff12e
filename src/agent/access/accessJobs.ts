import type { JobKind } from '../jobs/job.ts'
import type { BesideProgram, JobPrograms } from '../jobs/jobPrograms.ts'
import { ending } from '../jobs/jobRecord.ts'

/** Programs that people run beside instances, `tandem exec` and `tandem shell`. They end with their caller. */
export const accessJobs = (programs: JobPrograms): JobKind<BesideProgram> => ({
  name: 'access',
  record: { on: 'memory' },
  outlivesAgent: false,
  about: ({ of: { definition, release } }) => ({ service: definition.service, release }),
  ready: (_, work, stop) => programs.beside(work, stop),
  left: () => ending('interrupted', 'the agent ended while the program ran'),
})
