import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { exec } from '../../../lib/exec.ts'
import { addressConformance } from '../addressConformance.ts'
import type { AddressPlan } from '../address.ts'
import { createKeepalivedAddress } from './keepalivedAddress.ts'
import { keepalivedFiles } from './keepalivedFiles.ts'
import { systemdAddressHost } from './systemdAddressHost.ts'

const inside = process.env['TANDEM_LAB_MACHINE'] === '1'
const why = inside ? '' : ' (skipped: units belong to the whole machine; make test-lab runs this on its own machine)'
const data = '/var/lib/tandem-test'
const main = join(import.meta.dirname, '../../../main.ts')
const soon = { interval: 50 }

describe.skipIf(!inside)(`keepalived${why}`, () => {
  const own = networkInterfaces()['eth0']?.find(({ family }) => family === 'IPv4')?.address ?? ''
  const net = own.slice(0, own.lastIndexOf('.'))
  const files = keepalivedFiles(data)
  const guardCommand = [process.execPath, '--disable-warning=ExperimentalWarning', main]
  const host = systemdAddressHost({ files, guardCommand: [...guardCommand, 'agent', 'guard', '--data', data] })
  const driver = () =>
    createKeepalivedAddress({
      ...{ cluster: 'test', machine: 'a', own, files, host, haproxy: null },
      failed: (error) => {
        throw error
      },
    })
  const plan = (over: Partial<AddressPlan> = {}): AddressPlan => ({
    ...{
      position: 1,
      advert: 100,
      addresses: [`${net}.60`],
      eligible: true,
      yields: [],
      refused: [],
      othersServe: false,
    },
    ...{ peers: [], ...over },
  })
  const mainPid = async (unit: string): Promise<string> =>
    (await exec(['systemctl', 'show', '-P', 'MainPID', unit])).out.trim()
  afterAll(() => host.remove())

  addressConformance('keepalived', driver, { addresses: [`${net}.60`, `${net}.61`], withinMs: 10_000 })

  it('keeps the address without its driver, and the next driver finds the state and restarts nothing', async () => {
    const one = driver()
    await one.apply(plan())
    await expect.poll(() => one.held().length, soon).toBe(1)
    const pids = await Promise.all(['tandem-keepalived', 'tandem-guard'].map(mainPid))
    await one.close()
    const two = driver()
    const written = readFileSync(files.config, 'utf8')
    await two.apply(plan({ position: 2 }))
    expect(two.held().map(({ address }) => address)).toEqual([`${net}.60`])
    expect(two.problems()).toEqual([])
    expect(await Promise.all(['tandem-keepalived', 'tandem-guard'].map(mainPid))).toEqual(pids)
    expect(readFileSync(files.config, 'utf8')).toBe(written)
    await two.close()
  })

  it('loads a changed set of machines by a reload, and holds the address all the time', async () => {
    const one = driver()
    await one.apply(plan())
    await expect.poll(() => one.held().length, soon).toBe(1)
    const since = one.held()[0]?.since
    const pid = await mainPid('tandem-keepalived')
    await one.apply(plan({ peers: [{ machine: 'b', host: `${net}.99` }] }))
    await one.apply(
      plan({
        peers: [
          { machine: 'b', host: `${net}.99` },
          { machine: 'c', host: `${net}.98` },
        ],
      }),
    )
    expect(readFileSync(files.config, 'utf8')).toContain(`${net}.98`)
    await expect.poll(() => one.held()[0]?.since, soon).toBe(since)
    expect(await mainPid('tandem-keepalived')).toBe(pid)
    await one.close()
  })

  it('takes over from a keepalived that read the files of an agent that ran as root', async () => {
    const first = driver()
    await first.apply(plan())
    await expect.poll(() => first.held().length, soon).toBe(1)
    await first.close()
    const owned = keepalivedFiles(`${data}/privileged`)
    const ofRoot = [...guardCommand, 'agent', 'guard', '--data', `${data}/privileged`]
    const helper = systemdAddressHost({ files: owned, guardCommand: ofRoot, former: files })
    const next = createKeepalivedAddress({
      ...{ cluster: 'test', machine: 'a', own, files: owned, host: helper, haproxy: null },
      failed: (error) => {
        throw error
      },
    })
    await next.apply(plan({ addresses: [`${net}.61`] }))
    await expect.poll(() => next.held().map(({ address }) => address), soon).toEqual([`${net}.61`])
    expect([existsSync(files.config), existsSync(owned.config)]).toEqual([false, true])
    await next.close()
    await helper.remove()
  })

  it('is watched: a frozen guard is restarted within seconds, and reported until then', async () => {
    const one = driver()
    await one.apply(plan())
    const pid = await mainPid('tandem-guard')
    await exec(['kill', '-STOP', pid])
    await expect.poll(() => one.problems().join(), soon).toContain('tandem-guard.service does not run')
    await expect.poll(() => mainPid('tandem-guard')).not.toBe(pid)
    await expect.poll(() => one.problems(), soon).toEqual([])
    expect(one.held()).toHaveLength(1)
    await one.close()
  })

  it('reports the missing program if keepalived is not installed', async () => {
    const bare = systemdAddressHost({ files, guardCommand, programs: ['/nowhere/keepalived'] })
    const one = createKeepalivedAddress({
      ...{ cluster: 'test', machine: 'a', own, files, host: bare, haproxy: null, failed: () => {} },
    })
    await expect(one.apply(plan())).rejects.toMatchObject({
      code: 'E_ADDRESS_DRIVER',
      next: expect.stringContaining('apt-get install keepalived'),
    })
    await one.close()
  })

  it('leaves nothing behind when it is removed', async () => {
    const one = driver()
    await one.apply(plan())
    await one.apply(plan({ addresses: [] }))
    const left = ['/etc/systemd/system/tandem-keepalived.service', '/etc/systemd/system/tandem-guard.service'].concat(
      files.config,
      files.guard,
      files.run,
    )
    expect(left.filter((path) => existsSync(path))).toEqual([])
    expect(one.held()).toEqual([])
    expect(await mainPid('tandem-keepalived')).toBe('0')
    await one.close()
  })
})
