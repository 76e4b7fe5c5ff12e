import type { FormerPrepared, FormerWork } from '../agentDisk.ts'
import { ending, isSuccess, type JobRecord } from './jobRecord.ts'
import { aboutWork, prepareKind, restartKind, scriptKind, workKey } from './recordedKinds.ts'

/*
 * Agents from before jobs keep two files: prepared.json, the results of `prepare`, and maintenance.json, the last work on
 * the machine. An agent with jobs reads them at its first start, and writes them for one version more, so that an agent
 * from before, after a downgrade, neither runs a `prepare` twice nor restarts the machine twice. It marks its own entries
 * with `jobs`; agents from before drop that key when they write the file, so an entry without it is theirs.
 */

/** The entries that an agent from before wrote. */
export function fromFormer(prepared: readonly FormerPrepared[], work: FormerWork | null): JobRecord[] {
  const theirs = prepared.filter((one) => one.jobs === undefined).map(preparedRecord)
  return work === null || work.jobs !== undefined ? theirs : [...theirs, workRecord(work)]
}

/** Converts these records, oldest change first, for an agent from before. */
export function toFormer(records: readonly JobRecord[]): { prepared: FormerPrepared[]; work: FormerWork | null } {
  const prepared = records.flatMap((one) => (one.kind === prepareKind ? formerPrepared(one) : []))
  const works = records.flatMap((one) => (one.kind === scriptKind || one.kind === restartKind ? formerWork(one) : []))
  return { prepared, work: works.at(-1) ?? null }
}

/** The former files have no times. */
const untimed = { acceptedAt: '' }
const unknownTime = ''

function preparedRecord({ rollout, ok, reason, finished }: FormerPrepared): JobRecord {
  const base = { kind: prepareKind, id: rollout, about: {}, ...untimed }
  const started = { ...base, startedAt: unknownTime, mark: '' }
  if (!finished) return { ...started, state: 'started' }
  return { ...started, state: 'ended', endedAt: unknownTime, ending: ending(ok ? 'succeeded' : 'failed', reason) }
}

function formerPrepared(record: JobRecord): FormerPrepared[] {
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

/** A former record does not tell whether a restart follows: the maintenance that still asks tells that. */
function workRecord({ id, attempt, step, mark, ok, reason }: FormerWork): JobRecord {
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

function formerWork(record: JobRecord): FormerWork[] {
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
