import type { Definition } from '../../definitions/definition.ts'
import { prepareInstance } from '../../definitions/names.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Report } from '../../protocol/report.ts'
import { shortened } from '../agentReport.ts'
import type { JobKind } from '../jobs/job.ts'
import type { JobPrograms } from '../jobs/jobPrograms.ts'
import { ending, isSuccess } from '../jobs/jobRecord.ts'
import { JobRunner, type JobParts } from '../jobs/jobRunner.ts'

/** Names these jobs in the records on disk: it must not change. */
export const prepareKind = 'prepare'

interface Work {
  service: string
  release: string
  definition: Definition
}

/**
 * Runs `prepare` once per rollout. After a crash of the agent, `prepare` is reported as failed rather than run twice,
 * since repeating half a migration may do harm.
 */
export class Preparer {
  #jobs: JobRunner<Work>

  constructor(programs: JobPrograms, parts: JobParts) {
    this.#jobs = new JobRunner(kindOf(programs), parts)
  }

  report(): Report['prepared'] {
    return this.#jobs
      .records()
      .flatMap((one) =>
        one.state === 'ended'
          ? [{ rollout: one.id, ok: isSuccess(one.ending), reason: shortened(one.ending.why) }]
          : [],
      )
  }

  /** A `prepare` that cannot begin is a problem until it can begin, or until it is no longer wanted. */
  want({ prepare, definitions }: Pick<DesiredState, 'prepare' | 'definitions'>): void {
    for (const rollout of this.#jobs.running()) {
      if (!prepare.some((one) => one.rollout === rollout)) this.#jobs.cancel(rollout)
    }
    for (const { rollout, service, release } of prepare) {
      const definition = definitions[release]
      if (definition) this.#jobs.run({ id: rollout, work: { service, release, definition } })
    }
  }

  retry(): void {
    this.#jobs.retry()
  }

  close(): Promise<void> {
    return this.#jobs.close()
  }
}

const kindOf = (programs: JobPrograms): JobKind<Work> => ({
  name: prepareKind,
  record: { on: 'disk', from: 'started', ifUnwritten: 'retry', kept: 50, result: 'the result of prepare' },
  outlivesAgent: false,
  about: ({ service, release }) => ({ service, release }),
  ready: (rollout, { service, release, definition }, stop) => {
    const instance = prepareInstance(service, rollout)
    return programs.ready({ instance, release, definition, command: 'prepare', output: 'logs' }, stop)
  },
  left: () => ending('interrupted', 'the agent ended while prepare ran'),
})
