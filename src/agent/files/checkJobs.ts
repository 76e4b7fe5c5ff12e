import type { Definition } from '../../definitions/definition.ts'
import type { JobKind } from '../jobs/job.ts'
import type { JobPrograms } from '../jobs/jobPrograms.ts'
import { checkLimits } from '../../templates/checks.ts'
import { ending } from '../jobs/jobRecord.ts'

export interface CheckWork {
  service: string
  release: string
  generation: string
  definition: Definition
  argv: string[]
}

/** The checks of filled-in files. A rollout waits for them, so they need no record. */
export const checkJobs = (programs: JobPrograms): JobKind<CheckWork> => ({
  name: 'check',
  record: { on: 'memory' },
  outlivesAgent: false,
  about: ({ service, release }) => ({ service, release }),
  ready: (id, { release, definition, generation, argv }, stop) =>
    programs.ready({ instance: id, release, definition, generation, command: argv, output: checkLimits }, stop),
  left: () => ending('interrupted', 'the agent ended while the check ran'),
})
