import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Definition } from '../../definitions/definition.ts'
import { openProcessLab, type ProcessLab } from '../../drivers/supervisor/process/processLab.ts'
import { systemClock } from '../../lib/clock.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { ReleaseCache } from '../../releases/releaseCache.ts'
import { AgentDisk } from '../agentDisk.ts'
import { LateWrites } from '../lateWrites.ts'
import { InstancePorts } from '../ports.ts'
import { Problems } from '../problems.ts'
import { ReleaseLauncher } from '../releaseLauncher.ts'
import { makeFolder, quiet } from '../testing/given.ts'
import { Releases } from '../testing/runningAgent.ts'
import type { JobKind, JobOutput } from './job.ts'
import { JobPrograms } from './jobPrograms.ts'
import { ending } from './jobRecord.ts'
import { JobRecords } from './jobRecords.ts'
import { JobRunner } from './jobRunner.ts'
import type { JobRun } from './liveJob.ts'

interface Work {
  command: string[]
  output: JobOutput
}

let folder: ReturnType<typeof makeFolder>
let lab: ProcessLab
let programs: JobPrograms
let jobs: JobRunner<Work>
let shop: { id: string; definition: Definition }
/** Of the deadlines of jobs. */
let clock: VirtualClock

beforeEach(async () => {
  folder = makeFolder('programs')
  lab = openProcessLab()
  const releases = await Releases.open(folder.path)
  shop = await releases.publish('1')
  clock = new VirtualClock()
  const disk = new AgentDisk(join(folder.path, 'machine'))
  const problems = new Problems(quiet, () => {})
  const lateWrites = new LateWrites(problems)
  const ports = new InstancePorts({ first: 18_200, last: 18_300 }, disk, lateWrites)
  const cache = await ReleaseCache.open(join(folder.path, 'cache'))
  const supervisor = lab.driver
  const launcher = new ReleaseLauncher({
    ...{ machine: 'a', supervisor, cache, source: releases.depot, ports, disk, secretsFolder: null },
    agentEnv: process.env,
  })
  programs = new JobPrograms({ launcher, supervisor, ports, clock: systemClock })
  supervisor.onExit((exit) => programs.exited(exit))
  const parts = { mark: () => '', clock, problems, lateWrites, logger: quiet, changed: () => {} }
  const kind: JobKind<Work> = {
    name: 'test',
    record: { on: 'disk', from: 'started', ifUnwritten: 'retry', kept: 5, result: 'the result' },
    outlivesAgent: false,
    about: () => ({}),
    ready: (id, { command, output }, stop) =>
      programs.ready({ instance: id, release: shop.id, definition: shop.definition, command, output }, stop),
    left: () => ending('interrupted', 'the agent ended'),
  }
  jobs = new JobRunner(kind, { ...parts, records: new JobRecords(disk) })
})
afterEach(async () => {
  await jobs.close()
  await lab.close()
  await folder.remove()
})

const run = (command: string | string[], output: JobOutput = 'logs', withinMs?: number): JobRun => {
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command
  return jobs.run({ id: 'j1', work: { command: argv, output }, ...(withinMs === undefined ? {} : { withinMs }) })
}

it('keeps the output in the logs, and gives everything back at the end', async () => {
  const how = await run('echo here; exit 3').ended
  expect(how).toEqual({ how: 'failed', code: 3, signal: null, why: 'exited with status 3' })
  expect((await lab.lines('j1')).map(({ text }) => text)).toContain('here')
  expect([...programs.releasesInUse()]).toEqual([])
})

it('keeps the last bytes of both outputs in the record, however much the program prints, and no line in the logs', async () => {
  const printing = 'head -c 3000000 /dev/zero | tr "\\0" x; echo end of output; echo and an error >&2; exec sleep 0.05'
  const how = await run(printing, { tailBytes: 60 }).ended
  expect(how?.tail).toMatch(/^\[\d{7} bytes before are not kept\]\n/)
  expect(how?.tail).toContain('end of output\n')
  expect(how?.tail).toContain('and an error\n')
  expect(how?.tail?.length).toBeLessThan(120)
  expect(jobs.find('j1')).toMatchObject({ state: 'ended', ending: { how: 'succeeded', tail: how?.tail } })
  expect((await lab.lines('j1')).every(({ stream }) => stream === 'tandem')).toBe(true)
})

it('has no input for a program whose output it keeps', async () => {
  expect(await run('cat; echo done', { tailBytes: 100 }).ended).toMatchObject({ how: 'succeeded', tail: 'done\n' })
})

it('kills a program at its deadline that ignores its stop signal, and its children with it', async () => {
  shop.definition = { ...shop.definition, stop: { signal: 'SIGTERM', withinMs: 200 } }
  const job = run('trap "" TERM; echo up; while :; do sleep 0.05; done', 'logs', 300)
  await lab.printed('j1', /^up$/)
  await clock.advance(300)
  expect(await job.ended).toEqual({
    ...{ how: 'late', code: null, signal: 'SIGKILL' },
    why: 'did not end within 0.3 s, and killed by SIGKILL',
  })
  expect(lab.driver.isAlive('j1')).toBe(false)
})

it('stops a program that is cancelled, and says so even if it ends in peace', async () => {
  shop.definition = { ...shop.definition, stop: { signal: 'SIGTERM', withinMs: 30_000 } }
  const job = run('trap "exit 0" TERM; echo up; while :; do sleep 0.05; done')
  await lab.printed('j1', /^up$/)
  jobs.cancel('j1')
  expect(await job.ended).toEqual({ how: 'cancelled', code: 0, signal: null, why: 'exited with status 0' })
})

it('that cannot be executed tells the asker the code, and gives everything back', async () => {
  const job = run(['./none'], 'attached')
  await expect(job.started).rejects.toMatchObject({ code: 'E_EXEC' })
  expect(await job.ended).toMatchObject({ how: 'notStarted' })
  expect([...programs.releasesInUse()]).toEqual([])
})
