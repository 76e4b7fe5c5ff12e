import type { HostDriver, HostScript } from '../../drivers/host/host.ts'
import type { Clock } from '../../lib/clock.ts'
import { HostScripts } from './hostScripts.ts'
import type { Execution, JobKind, RecordPolicy } from '../jobs/job.ts'
import { ending, type JobRecord } from '../jobs/jobRecord.ts'
import { aboutWork, restartKind, scriptKind, type AboutWork } from './workRecords.ts'
import type { Problems } from '../problems.ts'

interface Parts {
  /** `null` where this agent may not run maintenance on its machine: then none of these jobs is run. */
  host: HostDriver | null
  clock: Clock
  problems: Problems
  lookMs?: number
  graceMs?: number
}

interface Attempt {
  id: string
  attempt: number
}

export interface ScriptWork extends Attempt {
  script: HostScript
  /** Signed by the controller, for the privileged helper. */
  order: string | null
  /** Whether a restart of the machine follows. */
  restart: boolean
}

export interface RestartWork extends Attempt {
  order: string | null
}

const record: RecordPolicy = {
  ...{ on: 'disk', from: 'started', ifUnwritten: 'fail', kept: 10 },
  result: 'the result of maintenance',
}

/** A script of the maintenance, in its own unit: it outlives the agent, but not the machine's restart. */
export function scriptJobs(parts: Parts): JobKind<ScriptWork> {
  const scripts = (): HostScripts => new HostScripts({ ...parts, host: hostOf(parts), problem: 'maintenance' })
  return {
    name: scriptKind,
    record,
    outlivesAgent: true,
    about: ({ id, attempt, restart, script: { name, withinMs } }): AboutWork & JobRecord['about'] => {
      return { maintenance: id, attempt, restart, name, withinMs }
    },
    ready: async (_, { script, order }) => ({
      start: (signals) => scripts().start(script, order, signals),
      release: () => {},
    }),
    left: (left, isSameBoot) => (isSameBoot ? 'watch' : ending('interrupted', whyRestarted(left))),
    watch: (_, { script }, signals) => scripts().watch(script, signals),
    forget: async ({ id, ...left }) => {
      const isOver = left.state === 'ended' && left.ending.how !== 'unknown' && left.ending.how !== 'notStarted'
      if (isOver) await parts.host?.forget({ id, name: '', text: '', withinMs: 1 })
    },
    whyNot,
  }
}

/** The restart of the machine. It has ended once the machine has started again; until then it may be repeated. */
export function restartJobs(parts: Parts): JobKind<RestartWork> {
  return {
    name: restartKind,
    record,
    outlivesAgent: true,
    about: ({ id, attempt }): AboutWork & JobRecord['about'] => {
      return { maintenance: id, attempt, restart: true, name: 'the restart' }
    },
    ready: async (_, { order }) => ({
      start: async ({ leave }): Promise<Execution> => {
        await hostOf(parts).restart(order)
        return { ended: untilLeft(leave) }
      },
      release: () => {},
    }),
    left: (_, isSameBoot) => (isSameBoot ? 'start' : ending('succeeded', '')),
    whyNot,
  }
}

const whyRestarted = (left: JobRecord): string =>
  `the machine was restarted while ${aboutWork(left)?.name ?? 'the script'} ran; remove the restart from the script, Tandem restarts the machine`

const whyNot = (error: unknown): string =>
  `the agent could not do the maintenance: ${error instanceof Error ? error.message : String(error)}`

function hostOf({ host }: Parts): HostDriver {
  if (!host) throw new Error('this agent has no host driver')
  return host
}

function untilLeft(leave: AbortSignal): Promise<null> {
  const { promise, resolve } = Promise.withResolvers<null>()
  if (leave.aborted) resolve(null)
  leave.addEventListener('abort', () => resolve(null), { once: true })
  return promise
}
