import { commandInstance, type Ask } from '../protocol/ask.ts'
import type { JobKind, JobOutput } from './jobs/job.ts'
import type { JobPrograms } from './jobs/jobPrograms.ts'
import { ending, type JobEnding } from './jobs/jobRecord.ts'

export interface CommandWork extends Pick<
  Extract<Ask, { kind: 'command' }>,
  'service' | 'release' | 'definition' | 'argv' | 'generation' | 'order'
> {
  output: JobOutput
}

/** One-off commands, `tandem run`. Their caller waits, so they need no record: without the caller they are stopped. */
export const commandJobs = (programs: JobPrograms): JobKind<CommandWork> => ({
  name: 'command',
  record: { on: 'memory' },
  outlivesAgent: false,
  about: ({ service, release }) => ({ service, release }),
  ready: (id, { service, release, definition, generation, argv, order, output }, stop) => {
    const instance = commandInstance(service, id)
    return programs.ready({ instance, release, definition, generation, command: argv, order, output }, stop)
  },
  left: () => ending('interrupted', 'the agent ended while the command ran'),
})

/** The exit status for the caller. Throws if nobody knows it. */
export function exitOf(how: JobEnding | null): Pick<JobEnding, 'code' | 'signal'> {
  if (how === null || how.how === 'unknown' || how.how === 'notStarted')
    throw new Error(how?.why ?? 'the agent ended while the command ran')
  return how
}
