import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openSmallDisk, type SmallDisk } from '../../../lib/testing/smallDisk.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'
import { unitName } from './unitName.ts'

const soon = { timeout: 20_000 }

describe.skipIf(!insideMachine)(`a full disk under systemd${whyOutside}`, () => {
  let lab: SystemdLab | null = null
  let disk: SmallDisk | null = null
  let mounted: string | null = null
  afterEach(async () => {
    if (mounted) execFileSync('umount', ['--lazy', mounted])
    mounted = null
    disk?.makeRoom()
    await lab?.close()
    disk?.remove()
    disk = null
  })

  it('where the agent keeps its data keeps no instance from being started again', async () => {
    const folder = mkdtempSync('/var/lib/tandem-full-')
    disk = openSmallDisk('tmpfs', 8 * 1_048_576, folder)
    lab = await openSystemdLab(folder)
    const { driver, restarts } = lab
    const { pid } = await driver.start(lab.spec(['/bin/sh', '-c', 'exec sleep 1000']))
    disk.fill()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => restarts.length, soon).toBe(1)
    expect(restarts[0]?.pid).not.toBe(pid)
  })

  it('where systemd makes the private folders of a start delays the start until there is room, and no longer', async () => {
    lab = await openSystemdLab()
    const { driver, restarts } = lab
    const spec = lab.spec(['/bin/sh', '-c', 'exec sleep 1000'])
    const { pid } = await driver.start(spec)
    mounted = '/var/tmp'
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=16', 'tandem-test', mounted])
    try {
      for (let n = 0; n < 20; n++) writeFileSync(join(mounted, String(n)), '')
    } catch {
      // No inode is left now: no folder can be made.
    }
    expect(readdirSync(mounted).length).toBeLessThan(20)
    process.kill(pid, 'SIGKILL')
    const tried = (): number =>
      Number(
        execFileSync('systemctl', ['show', '-P', 'NRestarts', unitName(spec.service, spec.id)], { encoding: 'utf8' }),
      )
    await expect.poll(tried, soon).toBeGreaterThan(1)
    console.log(
      'restarts while full',
      restarts.length,
      execFileSync('systemctl', ['show', '-p', 'Result,SubState,MainPID', unitName(spec.service, spec.id)], {
        encoding: 'utf8',
      }),
    )
    expect(restarts).toEqual([])
    execFileSync('umount', ['--lazy', mounted])
    mounted = null
    await expect.poll(() => restarts.length, soon).toBe(1)
  })
})
