import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { openSmallDisk, whyNoSmallDisk, type SmallDisk } from '../../../lib/testing/smallDisk.ts'
import type { ExitStatus, InstanceSpec, SupervisorDriver } from '../supervisor.ts'
import { createProcessSupervisor } from './processSupervisor.ts'

let disk: SmallDisk | null = null
let drivers: SupervisorDriver[] = []
afterEach(async () => {
  for (const driver of drivers) await driver.close()
  drivers = []
  disk?.remove()
  disk = null
})

const open = (dir: string): SupervisorDriver => {
  const driver = createProcessSupervisor({ dir, machine: 'test', clock: systemClock })
  drivers.push(driver)
  return driver
}
const spec = (id: string, dir: string): InstanceSpec => ({
  ...{ id, service: 'shop', release: 'r1', argv: ['sleep', '1000'], cwd: '/' },
  env: { PATH: process.env['PATH'] ?? '', TANDEM_INSTANCE: id, TANDEM_DATA: dir },
  limits: { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null },
  stop: { signal: 'SIGTERM', withinMs: 5_000 },
})

for (const kind of ['tmpfs', 'ext4'] as const) {
  const why = whyNoSmallDisk(kind)
  describe.skipIf(why)(`on a full disk, ${kind}${why ? ` (skipped: ${why})` : ''}`, () => {
    it('restarts instances that ended, and instances of the agent before', async () => {
      disk = openSmallDisk(kind, 8 * 1_048_576)
      const { path } = disk
      const driver = open(path)
      const ids = ['one', 'two', 'three']
      const ends = new Map<string, (exit: ExitStatus) => void>()
      driver.onExit((exit) => ends.get(exit.id)?.(exit))
      const crash = async (id: string, pid: number): Promise<void> => {
        const ended = new Promise((resolve) => ends.set(id, resolve))
        process.kill(pid, 'SIGKILL')
        await ended
      }
      const pids = new Map<string, number>()
      for (const id of ids) pids.set(id, (await driver.start(spec(id, path))).pid)
      disk.fill()
      for (let round = 0; round < 3; round++) {
        for (const id of ids) await crash(id, pids.get(id) ?? 0)
        for (const id of ids) pids.set(id, (await driver.start(spec(id, path))).pid)
      }
      await driver.close()
      const next = open(path)
      await next.recover()
      for (const id of ids) await next.start(spec(id, path))
      expect(ids.map((id) => next.isAlive(id))).toEqual([true, true, true])
      // Proves that the disk is full and that nothing was written to another disk.
      await expect(next.start(spec('another', path))).rejects.toMatchObject({ code: 'ENOSPC' })
      disk.makeRoom()
      await next.start(spec('another', path))
    })
  })
}
