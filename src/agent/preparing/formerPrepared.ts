import { z } from 'zod'
import type { AgentDisk } from '../agentDisk.ts'
import { unknownTime, untimed, type FormerRecords } from '../jobs/formerRecords.ts'
import { ending, isSuccess, type JobRecord } from '../jobs/jobRecord.ts'
import { prepareKind } from './preparer.ts'

const file = 'prepared'
const preparedSchema = z.array(
  z.object({
    rollout: z.string(),
    ok: z.boolean(),
    reason: z.string(),
    finished: z.boolean(),
    jobs: z.literal(true).optional(),
  }),
)
type Prepared = z.infer<typeof preparedSchema>[number]

/** The results of `prepare`, as agents from before jobs keep them. */
export const formerPrepared = (disk: AgentDisk): FormerRecords => ({
  read: () => (disk.read(file, preparedSchema) ?? []).filter(({ jobs }) => jobs === undefined).map(recordOf),
  convert: (records) => {
    const prepared = records.flatMap((one) => (one.kind === prepareKind ? preparedOf(one) : []))
    return prepared.length === 0 ? null : prepared
  },
  write: (content) => disk.write(file, content),
})

function recordOf({ rollout, ok, reason, finished }: Prepared): JobRecord {
  const base = { kind: prepareKind, id: rollout, about: {}, ...untimed }
  const started = { ...base, startedAt: unknownTime, mark: '' }
  if (!finished) return { ...started, state: 'started' }
  return { ...started, state: 'ended', endedAt: unknownTime, ending: ending(ok ? 'succeeded' : 'failed', reason) }
}

function preparedOf(record: JobRecord): Prepared[] {
  switch (record.state) {
    case 'accepted':
      return []
    case 'started':
      return [
        { rollout: record.id, ok: false, reason: 'the agent ended while prepare ran', finished: false, jobs: true },
      ]
    case 'ended': {
      const { ending: end, id: rollout } = record
      return [{ rollout, ok: isSuccess(end), reason: end.why, finished: true, jobs: true }]
    }
  }
}
