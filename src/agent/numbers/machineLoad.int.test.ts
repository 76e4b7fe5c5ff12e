import { cpus, tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { cpuIn, machineLoad } from './machineLoad.ts'

it('tells of this machine its processors, memory and disk', async () => {
  const before = await machineLoad(tmpdir())
  for (let i = 0, begun = performance.now(); performance.now() - begun < 30; i += 1) Math.sqrt(i)
  const { cpu, memory, disk } = await machineLoad(tmpdir())
  expect(cpu?.totalMs).toBeGreaterThanOrEqual(before.cpu?.totalMs ?? Infinity)
  expect(cpu?.busyMs).toBeLessThanOrEqual(cpu?.totalMs ?? 0)
  expect(cpu?.totalMs).toBeGreaterThan(cpus().length * 1_000)
  expect(memory?.availableBytes).toBeGreaterThan(0)
  expect(memory?.availableBytes).toBeLessThan(memory?.totalBytes ?? 0)
  expect(disk?.freeBytes).toBeLessThanOrEqual(disk?.totalBytes ?? 0)
})

it('has no figure for a folder that is gone', async () => {
  expect((await machineLoad('/no/such/folder')).disk).toBeNull()
})

it('counts waiting for a disk as idle, and time stolen by other machines as busy', () => {
  expect(cpuIn('cpu  10 0 10 60 10 0 0 10 5 5\ncpu0 …')).toEqual({ busyMs: 300, totalMs: 1_000 })
  expect(cpuIn('nothing')).toBeNull()
})
