import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { randomRun } from '../../../lib/testing/randomRun.ts'
import { seededRandom } from '../../../lib/testing/seededRandom.ts'
import { createProcessSupervisor } from './processSupervisor.ts'
import { procProcessTable } from './procProcessTable.ts'
import { eventually, stillRunning } from './processLab.ts'
import type { InstanceRecord } from './instanceRecord.ts'

/**
 * An agent that starts and stops instances as fast as it can, each with a child and a grandchild in its own session.
 */
const victim = (dir: string): string => `
const { createProcessSupervisor } = await import(${JSON.stringify(resolve('src/drivers/supervisor/process/processSupervisor.ts'))})
const driver = createProcessSupervisor({ dir: ${JSON.stringify(dir)}, machine: 'victim', clock: { now: Date.now, monotonic: () => performance.now() } })
await driver.recover()
const spec = (id) => ({
  id, service: 'shop', release: 'r1', cwd: '/', argv: ['/bin/sh', '-c', 'sleep 1000 & setsid sleep 1000 & sleep 1000'],
  env: { PATH: process.env.PATH, TANDEM_INSTANCE: id, TANDEM_DATA: ${JSON.stringify(dir)} },
  limits: { memoryBytes: null, cpu: null, tasks: 50, bodyBytes: null }, stop: { signal: 'SIGTERM', withinMs: 1000 },
})
console.log('begun')
for (let i = 0; ; i++) {
  await Promise.all([driver.start(spec('k' + process.pid + '-' + i + 'a')), driver.start(spec('k' + process.pid + '-' + i + 'b'))])
  await driver.stop('k' + process.pid + '-' + i + 'a')
  console.log('round')
}
`

let dir = ''
let agent: ChildProcess | null = null
beforeEach(() => {
  mkdirSync(resolve('tmp'), { recursive: true })
  dir = mkdtempSync(resolve('tmp/recovery-'))
})
afterEach(async () => {
  if (agent?.exitCode === null && agent.signalCode === null) agent.kill('SIGKILL')
  const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
  await driver.recover()
  await driver.close()
  rmSync(dir, { recursive: true, force: true })
})

it('leaves no folder in run/, where an earlier version does not start with one', async () => {
  mkdirSync(join(dir, 'run/left'), { recursive: true })
  for (let start = 0; start < 2; start++) {
    const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
    await driver.recover()
    await driver.close()
    expect(existsSync(join(dir, 'run'))).toBe(false)
    expect(readdirSync(join(dir, 'streams'))).toHaveLength(1)
    mkdirSync(join(dir, 'run')) // the earlier version ran meanwhile
  }
})

describe.skipIf(process.platform !== 'linux')('an agent killed by SIGKILL', () => {
  it('leaves nothing that the next start does not stop, no matter when it is killed', async () => {
    const { seed, count } = randomRun('recoveries', { check: 12, soak: 300 })
    const random = seededRandom(seed)
    for (let kill = 0; kill < count; kill++) {
      await runAndKill(Math.floor(random() * 120))
      const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
      await driver.recover()
      // A gate that lost its agent ends on its own, without running the program of the user.
      await eventually('no process of the agent is left', async () => (await carriers()).length === 0)
      expect(readdirSync(join(dir, 'instances'))).toEqual([])
      expect(readdirSync(join(dir, 'streams'), { recursive: true })).toHaveLength(1) // its own folder, empty
      await driver.close()
    }
  }, 3_600_000)

  it('has its instances stopped and reported, with children that left their session', async () => {
    await runAndKill(0, 'round')
    const before = await carriers()
    expect(before.length).toBeGreaterThanOrEqual(4)
    const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
    const { ended, adopted } = await driver.recover()
    expect(adopted).toEqual([])
    expect(ended.length).toBeGreaterThanOrEqual(1)
    expect(await stillRunning(before)).toEqual([])
    await driver.close()
  })
})

describe.skipIf(process.platform !== 'linux')('a record', () => {
  const stranger = async (changed: (record: InstanceRecord) => Partial<InstanceRecord>): Promise<void> => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    agent = child
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    const info = await procProcessTable.look(pid)
    const bootId = await procProcessTable.bootId()
    const stop = { signal: 'SIGTERM' as const, withinMs: 100 }
    const started = info?.started ?? ''
    const record = {
      id: 'old',
      service: 's',
      pid,
      started,
      bootId,
      markers: ['TANDEM_INSTANCE=old'],
      cgroups: [],
      stop,
    }
    const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
    writeFileSync(join(dir, 'instances', 'old.json'), JSON.stringify({ ...record, ...changed(record) }))
    await driver.recover()
    expect(existsSync(join(dir, 'instances', 'old.json'))).toBe(false)
    await driver.close()
  }

  it('of another process with the same number kills nothing', async () => {
    await stranger(({ started }) => ({ started: String(Number(started) - 1) }))
    expect(await stillRunning([agent?.pid ?? 0])).toHaveLength(1)
  })

  it('from before a reboot kills nothing', async () => {
    await stranger(() => ({ bootId: 'another boot' }))
    expect(await stillRunning([agent?.pid ?? 0])).toHaveLength(1)
  })

  it('that matches stops the process', async () => {
    await stranger(() => ({}))
    expect(await stillRunning([agent?.pid ?? 0])).toEqual([])
  })

  it('that cannot be read still leads to the processes that carry its name', async () => {
    const env = { PATH: process.env['PATH'], TANDEM_INSTANCE: 'torn-record' }
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env })
    agent = child
    await once(child, 'spawn')
    const driver = createProcessSupervisor({ dir, machine: 'victim', clock: systemClock })
    writeFileSync(join(dir, 'instances', 'torn-record.json'), '{"id":"to')
    expect(await driver.recover()).toEqual({ adopted: [], ended: ['torn-record'] })
    await driver.close()
    expect(await stillRunning([child.pid ?? 0])).toEqual([])
  })
})

/** Kills the agent this long after it has begun, or after it printed a line. */
async function runAndKill(afterMs: number, line = 'begun'): Promise<void> {
  const args = ['--input-type=module', '-e', victim(dir)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  agent = child
  const lines = createInterface({ input: child.stdout })
  for await (const text of lines) if (text === line) break
  await pause(afterMs) // the random moment is the point of the test
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Every process that carries this folder in its environment. */
async function carriers(): Promise<number[]> {
  const found: number[] = []
  for (const { pid, zombie } of await procProcessTable.list()) {
    const environment = zombie ? null : await procProcessTable.environment(pid)
    if (environment?.includes(`TANDEM_DATA=${dir}`)) found.push(pid)
  }
  return found
}
