import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { createFakeHost, type FakeHost } from '../../drivers/host/fakeHost.ts'
import type { HostDriver } from '../../drivers/host/host.ts'
import { systemClock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import { AgentDisk } from '../agentDisk.ts'
import { JobRecords } from '../jobs/jobRecords.ts'
import { Crash, CrashingDisk } from '../jobs/testing/crash.ts'
import { LateWrites } from '../lateWrites.ts'
import { formerWork } from './formerWork.ts'
import { MachineWork } from './machineWork.ts'
import { Problems } from '../problems.ts'
import { makeFolder, quiet } from '../testing/given.ts'
import { until } from '../../lib/testing/until.ts'

type Asked = NonNullable<DesiredState['maintenance']>

let folder: ReturnType<typeof makeFolder>
let host: FakeHost
let disk: AgentDisk
let problems: Problems
let lateWrites: LateWrites
let open: MachineWork[]

beforeEach(() => {
  folder = makeFolder('work')
  host = createFakeHost()
  open = []
})
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  await folder.remove()
})

/** Starts an agent with the current disk. */
function start(on: HostDriver | null = host, onDisk = new AgentDisk(folder.path)): MachineWork {
  disk = onDisk
  problems = new Problems(quiet, () => {})
  lateWrites = new LateWrites(problems)
  const one = new MachineWork({
    ...{
      records: new JobRecords(disk, [formerWork(disk)]),
      mark: () => on?.bootMark() ?? '',
      host: on,
      problems,
      lateWrites,
    },
    ...{ clock: systemClock, logger: quiet, changed: () => {} },
    ...{ lookMs: 1, graceMs: 50 },
  })
  open.push(one)
  return one
}
const script = { name: 'patch.sh', text: 'true', withinMs: 1_000 }
const asked = (over: Partial<Asked> = {}): Asked => ({ id: 'm1', attempt: 1, script, restart: true, ...over })

it('runs the script, restarts the machine, and is done when the next agent starts', async () => {
  const first = start()
  first.want(asked())
  await until(() => expect(host.begun).toHaveLength(1))
  expect(first.report()).toEqual({ id: 'm1', attempt: 1, ok: null, reason: '' })
  host.setScripts({ state: 'ok' })
  await until(() => expect(host.restarts).toBe(1))
  first.want(asked())
  first.want(asked())
  await first.close()
  expect(host.restarts).toBe(1)
  host.start()
  const next = start()
  next.want(asked())
  await until(() => expect(next.report()).toMatchObject({ ok: true }))
  expect([host.begun.length, host.restarts]).toEqual([1, 1])
})

it('requests the restart again if only the agent was restarted before', async () => {
  const first = start()
  first.want(asked({ script: null }))
  await until(() => expect(host.restarts).toBe(1))
  await first.close()
  start().want(asked({ script: null }))
  await until(() => expect(host.restarts).toBe(2))
})

it('keeps waiting for a running script across a restart of the agent', async () => {
  const first = start()
  first.want(asked({ restart: false }))
  await until(() => expect(host.begun).toHaveLength(1))
  await first.close()
  const next = start()
  next.want(asked({ restart: false }))
  host.setScripts({ state: 'ok' })
  await until(() => expect(next.report()).toMatchObject({ ok: true }))
  expect(host.begun).toHaveLength(1)
  expect(host.forgotten).toEqual(['m1-1'])
})

it('reports why a script failed, and does not restart the machine', async () => {
  const one = start()
  host.setScripts({ state: 'failed', reason: 'patch.sh exited with status 7' })
  one.want(asked())
  await until(() => expect(one.report()).toMatchObject({ ok: false, reason: 'patch.sh exited with status 7' }))
  one.want(asked())
  expect([host.begun.length, host.restarts]).toEqual([1, 0])
  host.setScripts({ state: 'ok' })
  one.want(asked({ attempt: 2, restart: false }))
  await until(() => expect(one.report()).toMatchObject({ attempt: 2, ok: true }))
  expect(host.begun.map(({ id }) => id)).toEqual(['m1-1', 'm1-2'])
})

it('fails if the script itself restarted the machine: its progress is unknown', async () => {
  const first = start()
  first.want(asked())
  await until(() => expect(host.begun).toHaveLength(1))
  await first.close()
  host.start()
  const next = start()
  next.want(asked())
  await until(() => expect(next.report()).toMatchObject({ ok: false }))
  expect(next.report()?.reason).toContain('the machine was restarted while patch.sh ran')
})

it('does not restart the machine once the maintenance is no longer wanted', async () => {
  const one = start()
  one.want(asked())
  await until(() => expect(host.begun).toHaveLength(1))
  one.want(null)
  host.setScripts({ state: 'ok' })
  await until(() =>
    expect(one.report()).toMatchObject({ ok: false, reason: 'the maintenance was stopped before the restart' }),
  )
  expect(host.restarts).toBe(0)
})

it('reports that the agent may not do maintenance, or that the driver failed', async () => {
  const none = start(null)
  none.want(asked())
  await until(() => expect(none.report()?.reason).toContain('the agent cannot do maintenance'))
  host.begin = () => Promise.reject(new Error('no systemd-run'))
  const one = start()
  one.want(asked({ id: 'm2' }))
  await until(() => expect(one.report()).toMatchObject({ id: 'm2', ok: false }))
  expect(one.report()?.reason).toContain('no systemd-run')
})

it('keeps the result when the disk is full, and writes it when there is room', async () => {
  const one = start()
  one.want(asked({ restart: false }))
  await until(() => expect(host.begun).toHaveLength(1))
  const write = disk.write.bind(disk)
  disk.write = () => {
    throw new Error('ENOSPC: no space left on device')
  }
  host.setScripts({ state: 'ok' })
  await until(() => expect(one.report()).toMatchObject({ ok: true }))
  expect(problems.list()).toEqual(['cannot write the result of maintenance to disk: ENOSPC: no space left on device'])
  disk.write = write
  lateWrites.retry()
  expect(problems.list()).toEqual([])
  await one.close()
  expect(start().report()).toMatchObject({ id: 'm1', ok: true })
})

it('begins no step that it could not write to disk', async () => {
  const one = start()
  const full = (): never => {
    throw new Error('ENOSPC: no space left on device')
  }
  disk.write = full
  one.want(asked())
  const reason = 'the agent could not do the maintenance: ENOSPC: no space left on device'
  await until(() => expect(one.report()).toMatchObject({ ok: false, reason }))
  await one.close()
  expect([host.begun.length, host.restarts]).toEqual([0, 0])
})

it('looks again when a look fails, and reports it meanwhile: the script continues', async () => {
  const one = start()
  const look = host.look.bind(host)
  host.look = () => Promise.reject(new Error('systemctl does not answer'))
  one.want(asked({ restart: false }))
  await until(() =>
    expect(problems.list()).toEqual([
      'maintenance: cannot determine whether patch.sh still runs: systemctl does not answer',
    ]),
  )
  expect(one.report()).toMatchObject({ ok: null })
  host.look = look
  await until(() => expect(problems.list()).toEqual([]))
  host.setScripts({ state: 'ok' })
  await until(() => expect(one.report()).toMatchObject({ ok: true }))
  expect(host.begun).toHaveLength(1)
})

it('gives up a script whose state cannot be read, long after its limit', async () => {
  const one = start()
  host.look = () => Promise.reject(new Error('systemctl does not answer'))
  one.want(asked({ script: { ...script, withinMs: 1 } }))
  const reason = 'cannot determine whether patch.sh still runs: systemctl does not answer'
  await until(() => expect(one.report()).toMatchObject({ ok: false, reason }))
  expect(problems.list()).toEqual([])
  expect([host.forgotten, host.restarts]).toEqual([[], 0])
})

it.each([
  [true, 'restart'],
  [false, 'over'],
])(
  'forgets a script only once its end is on disk, and tolerates a failure to forget: restart %s',
  async (restart, step) => {
    const one = start()
    const steps: unknown[] = []
    host.forget = () => {
      steps.push(disk.read('maintenance', z.object({ step: z.string() }))?.step)
      return Promise.reject(new Error('systemctl does not answer'))
    }
    host.setScripts({ state: 'ok' })
    one.want(asked({ restart }))
    await until(() => expect(restart ? host.restarts === 1 : one.report()?.ok).toBe(true))
    expect(steps).toEqual([step])
  },
)

it('asks again how a script ended if the agent was killed before the result was on disk', async () => {
  const killed = start()
  const write = disk.write.bind(disk)
  disk.write = (name, content) => {
    if (name === 'maintenance' && (content as { step: string }).step === 'over') throw new Error('killed here')
    write(name, content)
  }
  host.setScripts({ state: 'ok' })
  killed.want(asked({ restart: false }))
  await until(() => expect(killed.report()).toMatchObject({ ok: true }))
  const next = start()
  next.want(asked({ restart: false }))
  await until(() => expect(next.report()).toMatchObject({ ok: true, reason: '' }))
  expect([host.begun.length, host.forgotten]).toEqual([1, ['m1-1']])
})

it('watches a script to its end that nobody asks for any more, also after a restart of the agent', async () => {
  const first = start()
  first.want(asked())
  await until(() => expect(host.begun).toHaveLength(1))
  first.want(null)
  await first.close()
  const next = start()
  host.setScripts({ state: 'ok' })
  const reason = 'the maintenance was stopped before the restart'
  await until(() => expect(next.report()).toEqual({ id: 'm1', attempt: 1, ok: false, reason }))
  await until(() => expect(host.forgotten).toEqual(['m1-1']))
})

/** A host that is out of reach of a killed agent. */
const crashing = (crash: Crash): HostDriver => ({
  ...host,
  begin: (...args) => crash.around('the begin of the script', () => host.begin(...args)),
  look: (...args) => crash.around('a look', () => host.look(...args)),
  forget: (...args) => crash.around('forgetting', () => host.forget(...args)),
  restart: (...args) => crash.around('the restart', () => host.restart(...args)),
})

it.each([false, true])(
  'runs the script at most once, wherever the agent is killed, and knows how it ended: machine restarted %s',
  async (restarts) => {
    let points = 0
    for (; ; points++) {
      await folder.remove()
      folder = makeFolder('work')
      host = createFakeHost()
      host.setScripts({ state: 'ok' })
      const crash = new Crash(points)
      const killed = start(crashing(crash), new CrashingDisk(folder.path, crash))
      killed.want(asked({ restart: false }))
      await until(() => expect(crash.isOver || host.forgotten.length > 0).toBe(true))
      if (!crash.isOver) break
      open = [] // a dead agent does not close
      if (restarts) host.start()
      const next = start()
      next.want(asked({ restart: false }))
      const at = crash.passed.at(-1) ?? 'the begin'
      await until(() => expect(next.report()?.ok, at).not.toBe(null))
      expect(host.begun.length, at).toBeLessThanOrEqual(1)
      const { ok, reason } = next.report() ?? {}
      if (ok) expect(host.begun, at).toHaveLength(1)
      else expect(reason, at).toMatch(/the machine was restarted while|cannot determine how patch.sh ended/)
    }
    expect(points).toBeGreaterThanOrEqual(12)
  },
)

it('restarts the machine until it has restarted, wherever the agent is killed, and never again', async () => {
  let points = 0
  for (; ; points++) {
    await folder.remove()
    folder = makeFolder('work')
    host = createFakeHost()
    const crash = new Crash(points)
    const killed = start(crashing(crash), new CrashingDisk(folder.path, crash))
    killed.want(asked({ script: null }))
    await until(() => expect(crash.isOver || crash.passed.includes('after the restart')).toBe(true))
    if (!crash.isOver) break
    open = []
    const at = crash.passed.at(-1) ?? 'the begin'
    const next = start()
    next.want(asked({ script: null }))
    await until(() => expect(host.restarts, at).toBeGreaterThan(0))
    await next.close()
    const restarts = host.restarts
    host.start()
    const last = start()
    last.want(asked({ script: null }))
    await until(() => expect(last.report(), at).toMatchObject({ ok: true }))
    expect(host.restarts, at).toBe(restarts)
  }
  expect(points).toBeGreaterThanOrEqual(5)
})
