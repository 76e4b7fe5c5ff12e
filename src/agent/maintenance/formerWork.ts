import { z } from 'zod'
import type { AgentDisk } from '../agentDisk.ts'
import { unknownTime, untimed, type FormerRecords } from '../jobs/formerRecords.ts'
import { ending, isSuccess, type JobRecord } from '../jobs/jobRecord.ts'
import { aboutWork, restartKind, scriptKind, workKey } from './workRecords.ts'

const file = 'maintenance'
const workSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  step: z.enum(['script', 'restart', 'over']),
  /** Identifies the start of the machine (boot) in which this step began. */
  mark: z.string(),
  ok: z.boolean(),
  reason: z.string(),
  jobs: z.literal(true).optional(),
})
type Work = z.infer<typeof workSchema>

/** The last work on the machine, as agents from before jobs keep it. */
export const formerWork = (disk: AgentDisk): FormerRecords => ({
  read: () => {
    const work = disk.read(file, workSchema)
    return work === null || work.jobs !== undefined ? [] : [recordOf(work)]
  },
  convert: (records) => records.flatMap((one) => (isWork(one) ? workOf(one) : [])).at(-1) ?? null,
  write: (content) => disk.write(file, content),
})

const isWork = ({ kind }: JobRecord): boolean => kind === scriptKind || kind === restartKind

/** A former record does not tell whether a restart follows: the maintenance that still asks tells that. */
function recordOf({ id, attempt, step, mark, ok, reason }: Work): JobRecord {
  const about = { maintenance: id, attempt, name: 'the maintenance script', restart: step === 'script' }
  const base = { id: workKey({ id, attempt }), about, ...untimed, startedAt: unknownTime, mark }
  switch (step) {
    case 'script':
      return { ...base, kind: scriptKind, state: 'started' }
    case 'restart':
      return { ...base, kind: restartKind, state: 'started' }
    case 'over': {
      const end = ending(ok ? 'succeeded' : 'failed', reason)
      return { ...base, kind: scriptKind, state: 'ended', endedAt: unknownTime, ending: end }
    }
  }
}

function workOf(record: JobRecord): Work[] {
  const about = aboutWork(record)
  if (!about || record.state === 'accepted') return []
  const { mark } = record
  const entry = { id: about.maintenance, attempt: about.attempt, mark, ok: false, reason: '', jobs: true as const }
  const running = record.kind === scriptKind ? 'script' : 'restart'
  if (record.state === 'started') return [{ ...entry, step: running }]
  const isOk = isSuccess(record.ending)
  // The unit of the script is gone, so an agent from before could not find out how it ended: it begins at the restart.
  if (isOk && record.kind === scriptKind && about.restart) return [{ ...entry, step: 'restart' }]
  return [{ ...entry, step: 'over', ok: isOk, reason: record.ending.why }]
}
