import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openSmallDisk, type SmallDisk } from '../../../lib/testing/smallDisk.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'

describe.skipIf(!insideMachine)(`a full disk under systemd${whyOutside}`, () => {
  let lab: SystemdLab | null = null
  let disk: SmallDisk | null = null
  afterEach(async () => {
    disk?.makeRoom()
    await lab?.close()
    disk?.remove()
    disk = null
  })

  it('where the agent keeps its data does not keep systemd from restarting an instance', async () => {
    const folder = mkdtempSync('/var/lib/tandem-full-')
    disk = openSmallDisk('tmpfs', 8 * 1_048_576, folder)
    lab = await openSystemdLab(join(folder, 'lab'))
    const { driver, restarts } = lab
    const { pid } = await driver.start(lab.spec(['/bin/sh', '-c', 'exec sleep 1000']))
    disk.fill()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => restarts.length).toBe(1)
    expect(restarts[0]?.pid).not.toBe(pid)
  })
})
