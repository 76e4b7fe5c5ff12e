import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { insideMachine, whyOutside } from '../drivers/supervisor/systemd/systemdLab.ts'
import { procProcessTable } from '../drivers/supervisor/process/procProcessTable.ts'
import { endLeftovers } from './endLeftovers.ts'

const unit = 'left-behind.service'

describe.skipIf(!insideMachine)(`the processes that a unit has left${whyOutside}`, () => {
  it('are killed, and no other process of the same user', async () => {
    const beside = spawn('sleep', ['1000'])
    const leaves = ['/bin/sh', '-c', 'sleep 1001 & exec sleep 1002']
    execFileSync('systemd-run', ['-q', `--unit=${unit}`, '-p', 'KillMode=process', ...leaves], { stdio: 'ignore' })
    const left = async (): Promise<number> => {
      const lines = await Promise.all(
        (await procProcessTable.list()).map(({ pid }) => procProcessTable.commandLine(pid)),
      )
      return lines.filter((line) => line === 'sleep 1001').length
    }
    await expect.poll(left).toBe(1)
    execFileSync('systemctl', ['stop', unit])
    expect(await left()).toBe(1)
    await endLeftovers(unit)
    expect(await left()).toBe(0)
    expect(beside.exitCode).toBeNull()
    expect(beside.signalCode).toBeNull()
    const ended = once(beside, 'exit')
    beside.kill()
    await ended
  })
})
