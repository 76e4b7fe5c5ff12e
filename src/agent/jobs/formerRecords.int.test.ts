import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentDisk } from '../agentDisk.ts'
import { formerWork } from '../maintenance/formerWork.ts'
import { formerPrepared } from '../preparing/formerPrepared.ts'
import { makeFolder } from '../testing/given.ts'
import { ending, type JobRecord } from './jobRecord.ts'
import { JobRecords } from './jobRecords.ts'

let folder: ReturnType<typeof makeFolder>

beforeEach(() => {
  folder = makeFolder('former')
})
afterEach(() => folder.remove())

const path = (name: string): string => join(folder.path, `${name}.json`)
const read = (name: string): unknown =>
  existsSync(path(name)) ? JSON.parse(readFileSync(path(name), 'utf8')) : undefined
const write = (name: string, content: unknown): void => writeFileSync(path(name), `${JSON.stringify(content)}\n`)
const records = (disk = new AgentDisk(folder.path)): JobRecords =>
  new JobRecords(disk, [formerPrepared(disk), formerWork(disk)])
const states = (of: JobRecords, ...kinds: string[]): unknown[] =>
  of.of(...kinds).map((one) => [one.kind, one.id, one.state, one.state === 'ended' ? one.ending.how : null])

/** As versions before jobs read and write their files (1cc9083, 8300afd): they drop keys that they do not know. */
const formerly = {
  prepared: (content: unknown): { rollout: string; ok: boolean; reason: string; finished: boolean }[] =>
    (content as Record<string, unknown>[]).map(({ rollout, ok, reason, finished }) => {
      return { rollout: String(rollout), ok: ok === true, reason: String(reason), finished: finished === true }
    }),
  maintenance: (content: unknown): Record<string, unknown> => {
    const { id, attempt, step, mark, ok, reason } = content as Record<string, unknown>
    return { id, attempt, step, mark, ok, reason }
  },
}

const times = { acceptedAt: '2026-11-28T10:00:00.000Z', startedAt: '2026-11-28T10:00:01.000Z' }
const prepare = (id: string): JobRecord => ({ ...times, state: 'started', kind: 'prepare', id, about: {}, mark: '' })
const about = { maintenance: 'm1', attempt: 1, name: 'patch.sh', withinMs: 1_000, restart: true }
const script: JobRecord = { ...times, state: 'started', kind: 'script', id: 'm1-1', about, mark: 'boot 1' }
const restart: JobRecord = { ...script, kind: 'restart' }
const ended = (record: JobRecord, how: 'succeeded' | 'failed', why = ''): JobRecord => ({
  ...{ mark: 'boot 1', startedAt: times.startedAt, ...record },
  ...{ state: 'ended', endedAt: '2026-11-28T10:00:02.000Z', ending: ending(how, why) },
})

describe('an upgrade reads the files of an agent from before', () => {
  it('the results of prepare, and one that ran', () => {
    write('prepared', [
      { rollout: 'r1', ok: true, reason: '', finished: true },
      { rollout: 'r2', ok: false, reason: 'exited with status 3', finished: true },
      { rollout: 'r3', ok: false, reason: 'the agent ended while prepare ran', finished: false },
    ])
    expect(states(records(), 'prepare')).toEqual([
      ['prepare', 'r1', 'ended', 'succeeded'],
      ['prepare', 'r2', 'ended', 'failed'],
      ['prepare', 'r3', 'started', null],
    ])
    expect(records().find('prepare', 'r2')).toMatchObject({ ending: { why: 'exited with status 3' } })
  })

  it.each([
    ['script', ['script', 'm1-2', 'started', null]],
    ['restart', ['restart', 'm1-2', 'started', null]],
    ['over', ['script', 'm1-2', 'ended', 'failed']],
  ])('maintenance at the step %s', (step, expected) => {
    write('maintenance', { id: 'm1', attempt: 2, step, mark: 'boot 1', ok: false, reason: 'no' })
    expect(states(records(), 'script', 'restart')).toEqual([expected])
  })
})

describe('a downgrade leaves files from which an agent from before repeats nothing', () => {
  it('a prepare that runs counts as failed, one that ended keeps its result', () => {
    const all = records()
    all.put(ended(prepare('r1'), 'succeeded'))
    all.commit(prepare('r2'))
    expect(formerly.prepared(read('prepared'))).toEqual([
      { rollout: 'r1', ok: true, reason: '', finished: true },
      { rollout: 'r2', ok: false, reason: 'the agent ended while prepare ran', finished: false },
    ])
    expect(read('maintenance')).toBeUndefined()
  })

  it.each<[string, JobRecord, object]>([
    ['a running script is looked at', script, { step: 'script', ok: false }],
    ['a failed script is over', ended(script, 'failed', 'exited'), { step: 'over', ok: false, reason: 'exited' }],
    ['after a script comes the restart', ended(script, 'succeeded'), { step: 'restart' }],
    ['or nothing', ended({ ...script, about: { ...about, restart: false } }, 'succeeded'), { step: 'over', ok: true }],
    ['a restart is repeated only in the same boot', restart, { step: 'restart', mark: 'boot 1' }],
    ['and is over', ended(restart, 'succeeded'), { step: 'over', ok: true }],
  ])('%s', (_, record, expected) => {
    records().commit(record)
    expect(formerly.maintenance(read('maintenance'))).toMatchObject({ id: 'm1', attempt: 1, ...expected })
  })
})

describe('an upgrade after a downgrade', () => {
  it('takes the entries of the agent from before, and its own where those tell less', () => {
    const all = records()
    all.put(ended(prepare('r1'), 'succeeded'))
    all.commit(prepare('r2'))
    // The agent from before counts what ran as failed, and runs another.
    const kept = formerly.prepared(read('prepared')).map((one) => ({ ...one, finished: true }))
    write('prepared', [...kept, { rollout: 'r3', ok: true, reason: '', finished: true }])
    expect(states(records(), 'prepare')).toEqual([
      ['prepare', 'r1', 'ended', 'succeeded'],
      ['prepare', 'r2', 'ended', 'failed'],
      ['prepare', 'r3', 'ended', 'succeeded'],
    ])
  })

  it('does not read its own entries: a start that was never recorded has not happened', () => {
    const disk = new AgentDisk(folder.path)
    disk.writeJobs = () => {
      throw new Error('killed here')
    }
    expect(() => records(disk).commit(prepare('r1'))).toThrow('killed here')
    expect(read('prepared')).toMatchObject([{ rollout: 'r1', jobs: true }])
    expect(records().of('prepare')).toEqual([])
  })
})

it('a record that only a newer version knows stays as it is', () => {
  const newer = { state: 'paused', kind: 'backup', id: 'b1', secret: ['x'] }
  write('jobs', { format: 1, jobs: [newer, prepare('r1')] })
  const all = records()
  all.commit(ended(prepare('r1'), 'succeeded'))
  expect(read('jobs')).toMatchObject({ format: 1, jobs: [newer, { id: 'r1', state: 'ended' }] })
})

it('a damaged file is named, with the next step', () => {
  writeFileSync(path('jobs'), '{"format": 1, "jo')
  expect(() => records()).toThrow(expect.objectContaining({ code: 'E_ENVIRONMENT', subject: path('jobs') }))
})
