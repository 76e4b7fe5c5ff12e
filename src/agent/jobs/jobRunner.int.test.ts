import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentDisk } from '../agentDisk.ts'
import { makeFolder } from '../testing/given.ts'
import type { JobRecord } from './jobRecord.ts'
import { Crash, CrashingDisk } from './testing/crash.ts'
import {
  onDisk,
  pretendedAgent,
  PretendedMachine,
  stopped,
  succeeded,
  type PretendedAgent,
  type PretendedKind,
} from './testing/pretendedJobs.ts'

let folder: ReturnType<typeof makeFolder>
let machine: PretendedMachine
let writes: number

beforeEach(() => {
  folder = makeFolder('jobs')
  machine = new PretendedMachine()
  writes = 0
})
afterEach(() => folder.remove())

class CountingDisk extends AgentDisk {
  override writeJobs(records: unknown[]): void {
    writes++
    super.writeJobs(records)
  }
}

const start = (kind: PretendedKind): PretendedAgent => pretendedAgent(new CountingDisk(folder.path), machine, kind)
const until = async (check: () => unknown): Promise<void> => {
  await expect.poll(check, { interval: 1 }).toBe(true)
}
const runs = (id: string): Promise<void> => until(() => machine.running.includes(id))
const stateOf = ({ jobs }: PretendedAgent, id: string): string | undefined => jobs.find(id)?.state
const onDiskNow = (id: string): JobRecord | undefined =>
  (new AgentDisk(folder.path).readJobs() as JobRecord[]).find((one) => one.id === id) // written by this test
const full = (): never => {
  throw new Error('ENOSPC: no space left on device')
}

describe('a job', () => {
  it('is recorded before it starts and when it ends, and its id is used once', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    expect(stateOf(agent, 'j1')).toBe('accepted')
    await runs('j1')
    expect(onDiskNow('j1')).toMatchObject({ kind: 'pretended', state: 'started', about: { word: 'x' }, mark: 'boot 1' })
    expect(agent.jobs.run({ id: 'j1', work: 'x' })).toBe(run)
    machine.end('j1', succeeded)
    expect(await run.ended).toMatchObject({ how: 'succeeded', code: 0 })
    expect(onDiskNow('j1')).toMatchObject({ state: 'ended', ending: { how: 'succeeded' }, mark: 'boot 1' })
    expect(await agent.jobs.run({ id: 'j1', work: 'x' }).ended).toMatchObject({ how: 'succeeded' })
    expect([machine.starts, agent.changes, writes]).toEqual([['j1'], 1, 2])
  })

  it('that must survive from the moment it is accepted is on disk then, and runs when it is asked for again', async () => {
    const kind = { record: onDisk({ from: 'accepted' }) }
    const first = start(kind)
    machine.gather = () => new Promise(() => {})
    first.jobs.run({ id: 'j1', work: 'x' })
    expect(onDiskNow('j1')?.state).toBe('accepted')
    machine.gather = async () => {}
    const next = start(kind)
    expect(next.jobs.records().map(({ id, state }) => [id, state])).toEqual([['j1', 'accepted']])
    next.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    machine.end('j1', succeeded)
    await until(() => onDiskNow('j1')?.state === 'ended')
  })

  it('that somebody waits for needs no disk at all, and no second one may take its streams', async () => {
    const agent = start({ record: { on: 'memory' } })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    expect(() => agent.jobs.run({ id: 'j1', work: 'x' })).toThrow(
      expect.objectContaining({ code: 'E_INSTANCE_RUNNING' }),
    )
    await runs('j1')
    machine.end('j1', { how: 'failed', code: 2, signal: null, why: 'exited with status 2' })
    expect(await run.ended).toMatchObject({ how: 'failed', code: 2 })
    expect([writes, agent.changes, agent.jobs.records(), agent.jobs.running()]).toEqual([0, 0, [], []])
  })

  it('that cannot start ends, and says why', async () => {
    const agent = start({ record: onDisk() })
    machine.failsStart = new Error('no such program')
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await expect(run.started).rejects.toThrow('no such program')
    expect(await run.ended).toMatchObject({ how: 'notStarted', why: 'no such program' })
  })

  it('whose end nobody can find out says so', async () => {
    const agent = start({ record: onDisk(), outlivesAgent: true })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    machine.ended = () => Promise.reject(new Error('systemctl does not answer'))
    void agent.jobs.close()
    machine.reboot()
    machine.boots-- // the boot mark is the same, and the process is unknown all the same
    const next = start({ record: onDisk(), outlivesAgent: true })
    expect(await next.jobs.run({ id: 'j1', work: 'x' }).ended).toMatchObject({
      ...{ how: 'unknown', why: 'systemctl does not answer' },
    })
    expect(await run.ended).toBe(null)
  })

  it('is one of a bounded number of records, and a running one is never dropped', async () => {
    const agent = start({ record: onDisk({ kept: 2 }) })
    void agent.jobs.run({ id: 'long', work: 'x' })
    await runs('long')
    for (const id of ['j1', 'j2', 'j3', 'j4']) {
      const run = agent.jobs.run({ id, work: 'x' })
      await runs(id)
      machine.end(id, succeeded)
      await run.ended
    }
    expect(agent.jobs.records().map(({ id }) => id)).toEqual(['long', 'j3', 'j4'])
    expect(onDiskNow('j1')).toBeUndefined()
  })
})

describe('cancelling', () => {
  it('at once keeps the job from starting', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    agent.jobs.cancel('j1')
    expect(await run.ended).toMatchObject({ how: 'cancelled', why: 'it was cancelled before it started' })
    expect([machine.starts, onDiskNow('j1')?.state]).toEqual([[], 'ended'])
  })

  it('while it gathers ends the gathering, and nothing starts', async () => {
    const agent = start({ record: onDisk() })
    let isGathering = false
    machine.gather = (stop) => {
      isGathering = true
      return new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Error('aborted'))))
    }
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await until(() => isGathering)
    agent.jobs.cancel('j1')
    expect(await run.ended).toMatchObject({ how: 'cancelled' })
    expect(machine.starts).toEqual([])
  })

  it('while it starts stops the process as soon as it runs', async () => {
    const agent = start({ record: onDisk() })
    const began = machine.start.bind(machine)
    machine.start = (id) => {
      began(id)
      agent.jobs.cancel(id) // the asker cancels before the supervisor has answered
    }
    expect(await agent.jobs.run({ id: 'j1', work: 'x' }).ended).toMatchObject({ how: 'cancelled', signal: 'SIGTERM' })
    expect([machine.starts, machine.running]).toEqual([['j1'], []])
  })

  it('by the signal of the asker stops a running process', async () => {
    const agent = start({ record: { on: 'memory' } })
    const asker = new AbortController()
    const run = agent.jobs.run({ id: 'j1', work: 'x', signal: asker.signal })
    await runs('j1')
    asker.abort()
    expect(await run.ended).toMatchObject({ how: 'cancelled', signal: 'SIGTERM' })
  })

  it('of a process that ended by itself changes nothing', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    machine.onStop = () => {}
    agent.jobs.cancel('j1')
    machine.end('j1', succeeded)
    expect(await run.ended).toMatchObject({ how: 'succeeded' })
  })
})

describe('a deadline', () => {
  it('stops the process, and is the reason of its end', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x', withinMs: 20_000 })
    await runs('j1')
    await agent.clock.advance(19_999)
    expect(machine.running).toEqual(['j1'])
    await agent.clock.advance(1)
    expect(await run.ended).toEqual({ ...stopped, how: 'late', why: 'did not end within 20 s, and killed by SIGTERM' })
  })

  it('counts while the job gathers', async () => {
    const agent = start({ record: onDisk() })
    machine.gather = (stop) =>
      new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Error('aborted'))))
    const run = agent.jobs.run({ id: 'j1', work: 'x', withinMs: 20_000 })
    await agent.clock.advance(20_000)
    expect(await run.ended).toMatchObject({ how: 'late', why: 'it was too late before it started' })
    expect(machine.starts).toEqual([])
  })

  it('of a job that has ended is no more', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x', withinMs: 20_000 })
    await runs('j1')
    machine.end('j1', succeeded)
    await run.ended
    expect(agent.clock.pending).toBe(0)
  })
})

describe('a full disk', () => {
  it('keeps a job from being accepted, if it must be on disk then', () => {
    const agent = start({ record: onDisk({ from: 'accepted' }) })
    agent.disk.writeJobs = full
    expect(() => agent.jobs.run({ id: 'j1', work: 'x' })).toThrow('ENOSPC')
    expect([agent.jobs.records(), agent.jobs.running()]).toEqual([[], []])
  })

  it('delays the start, is a problem meanwhile, and can be cancelled', async () => {
    const agent = start({ record: onDisk() })
    const write = agent.disk.writeJobs.bind(agent.disk)
    agent.disk.writeJobs = full
    const [one, other] = [agent.jobs.run({ id: 'j1', work: 'x' }), agent.jobs.run({ id: 'j2', work: 'x' })]
    await until(() => agent.problems.list().length > 0)
    expect(agent.problems.list()).toEqual(['pretended: ENOSPC: no space left on device'])
    agent.jobs.retry()
    agent.jobs.cancel('j2')
    expect(await other.ended).toMatchObject({ how: 'cancelled' })
    expect([machine.starts, stateOf(agent, 'j1')]).toEqual([[], 'accepted'])
    agent.disk.writeJobs = write
    agent.jobs.retry()
    agent.lateWrites.retry()
    await runs('j1')
    expect(agent.problems.list()).toEqual([])
    machine.end('j1', succeeded)
    expect(await one.ended).toMatchObject({ how: 'succeeded' })
  })

  it('ends a job that may not wait', async () => {
    const agent = start({ record: onDisk({ ifUnwritten: 'fail' }) })
    agent.disk.writeJobs = full
    expect(await agent.jobs.run({ id: 'j1', work: 'x' }).ended).toMatchObject({ how: 'notStarted' })
    expect(machine.starts).toEqual([])
  })

  it('keeps the end in memory until there is room; the rest of the job is removed only then', async () => {
    const agent = start({ record: onDisk() })
    const write = agent.disk.writeJobs.bind(agent.disk)
    const jobs = ['j1', 'j2'].map((id) => agent.jobs.run({ id, work: 'x' }))
    await Promise.all(['j1', 'j2'].map(runs))
    agent.disk.writeJobs = full
    for (const id of ['j1', 'j2']) machine.end(id, succeeded)
    for (const job of jobs) expect(await job.ended).toMatchObject({ how: 'succeeded' })
    expect(agent.problems.list()).toEqual([
      'cannot write the result of the job to disk: ENOSPC: no space left on device',
    ])
    expect([machine.forgotten, onDiskNow('j1')?.state]).toEqual([[], 'started'])
    agent.disk.writeJobs = write
    agent.lateWrites.retry()
    expect([agent.problems.list(), onDiskNow('j1')?.state, onDiskNow('j2')?.state]).toEqual([[], 'ended', 'ended'])
    await until(() => machine.forgotten.length === 2)
  })

  it('does not keep an agent from starting that finds an interrupted job', async () => {
    const first = start({ record: onDisk() })
    first.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    const disk = new AgentDisk(folder.path)
    disk.writeJobs = full
    const next = pretendedAgent(disk, machine, { record: onDisk() })
    expect(next.jobs.find('j1')).toMatchObject({ state: 'ended', ending: { how: 'interrupted' } })
    expect(next.problems.list()).toHaveLength(1)
  })
})

describe('the end of the agent', () => {
  it('stops what does not outlive it, and records that', async () => {
    const agent = start({ record: onDisk() })
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    await agent.jobs.close()
    expect(await run.ended).toMatchObject({ how: 'interrupted', why: 'killed by SIGTERM' })
    expect(onDiskNow('j1')?.state).toBe('ended')
    expect(() => agent.jobs.run({ id: 'j2', work: 'x' })).toThrow('the agent ends')
  })

  it('leaves what outlives it, and the next agent watches that', async () => {
    const kind = { record: onDisk(), outlivesAgent: true }
    const agent = start(kind)
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await runs('j1')
    await agent.jobs.close()
    expect([await run.ended, onDiskNow('j1')?.state, machine.running]).toEqual([null, 'started', ['j1']])
    const next = start(kind)
    const watched = next.jobs.run({ id: 'j1', work: 'x' })
    machine.end('j1', succeeded)
    expect(await watched.ended).toMatchObject({ how: 'succeeded' })
    expect(machine.starts).toEqual(['j1'])
  })

  it.each([true, false])('leaves a job that waits for its record as accepted: outlives %s', async (outlivesAgent) => {
    const agent = start({ record: onDisk(), outlivesAgent })
    const write = agent.disk.writeJobs.bind(agent.disk)
    agent.disk.writeJobs = full
    const run = agent.jobs.run({ id: 'j1', work: 'x' })
    await until(() => agent.problems.list().length > 0)
    agent.disk.writeJobs = write
    await agent.jobs.close()
    expect([await run.ended, machine.starts]).toEqual([null, []])
  })
})

/** Kills the agent at each point of a job's life in turn; another agent then starts on the same disk. */
describe.each<[string, PretendedKind]>([
  ['a job like prepare', { record: onDisk() }],
  ['a job that is asked for once, like a schedule', { record: onDisk({ from: 'accepted' }) }],
  ['a job like a script, which outlives its agent', { record: onDisk(), outlivesAgent: true }],
  ['a scheduled job that outlives its agent', { record: onDisk({ from: 'accepted' }), outlivesAgent: true }],
])('kill -9 during %s', (_, kind) => {
  /** Returns null when the job came to its end before the agent could be killed. */
  async function killedAt(point: number, restarts: boolean): Promise<{ point: string; agent: PretendedAgent } | null> {
    const crash = new Crash(point)
    machine = new PretendedMachine()
    await folder.remove()
    folder = makeFolder('jobs')
    const first = pretendedAgent(new CrashingDisk(folder.path, crash), machine, kind, crash)
    try {
      first.jobs.run({ id: 'j1', work: 'x' })
    } catch {
      // The agent was killed while it accepted the job.
    }
    await until(() => crash.isOver || machine.running.includes('j1'))
    machine.end('j1', succeeded)
    await until(() => crash.isOver || stateOf(first, 'j1') === 'ended')
    const isKilled = crash.isOver
    crash.isOver = true
    if (restarts) machine.reboot()
    // Without the drivers of its agent, a process that does not outlive it ends before the next agent does anything.
    else if (!kind.outlivesAgent) machine.end('j1', stopped)
    const agent = start(kind)
    return isKilled ? { point: crash.passed.at(-1) ?? 'the begin', agent } : null
  }

  it.each([false, true])('runs it at most once, and always knows an end: machine restarted %s', async (restarts) => {
    let points = 0
    for (; ; points++) {
      const killed = await killedAt(points, restarts)
      if (!killed) break
      const { agent, point } = killed
      const wasStarted = onDiskNow('j1')?.state !== undefined && onDiskNow('j1')?.state !== 'accepted'
      const run = agent.jobs.run({ id: 'j1', work: 'x' })
      if (!wasStarted) {
        // Nothing of the job is on disk but that it was accepted: it runs now, for the first time.
        expect(machine.starts, point).toEqual([])
        await runs('j1')
        machine.end('j1', succeeded)
      }
      const how = await run.ended
      expect(machine.starts.length, point).toBeLessThanOrEqual(1)
      if (how?.how === 'succeeded') expect(machine.starts, point).toEqual(['j1'])
      else expect(how?.how, point).toBe(kind.outlivesAgent && !restarts ? 'unknown' : 'interrupted')
      expect(onDiskNow('j1'), point).toMatchObject({ state: 'ended', ending: { how: how?.how } })
    }
    expect(points).toBeGreaterThanOrEqual(8)
  })
})
