import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bootMs } from './sharedPair.ts'
import { before, data, later, present, type UpgradedPair } from './upgradedPair.ts'
import { expectPresentParts } from './wantedParts.ts'

const everywhere = (version: string): string[] => [version, version, version]

/** The pair runs this checkout; at the end, the previous build. */
export const newPartsSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('the units, users and folders of an upgraded machine', () => {
    let upgraded: UpgradedPair
    beforeAll(async () => {
      upgraded = await lend()
    }, bootMs)
    afterEach(() => upgraded.dropLoad())

    it('get a new part of a later version, its socket, user, group and folder', async () => {
      const pids = await upgraded.pids()
      upgraded.beginLoad()
      expect((await upgraded.upgrade('later')).upgrade).toMatchObject({ state: 'completed' })
      expect(await upgraded.versions()).toEqual(everywhere(later))
      for (const machine of upgraded.serving) {
        expect(await machine.must(['cat', '/etc/systemd/system/tandem-agent.service'])).toContain('KeyringMode=private')
        expect(await machine.must(['stat', '-c', '%a %U %G', '/var/lib/tandem-probe'])).toBe(
          '750 tandem_probe tandem_probes\n',
        )
        expect(await machine.must(['systemctl', 'is-active', 'tandem-probe.socket'])).toBe('active\n')
        // The new part runs the new program, and so does every unit after a reboot.
        expect(await machine.must(['cat', '/etc/systemd/system/tandem-probe.service.d/program.conf'])).toContain(
          '/releases/',
        )
      }
      expect(await upgraded.pids()).toEqual(pids)
      await upgraded.endLoad()
    })

    it('are those of the present version again after a return to it, also when the power fails meanwhile', async () => {
      const a = upgraded.pair.lab.machine('a')
      const going = upgraded.upgrade('new')
      const isChanging = async (): Promise<number> =>
        (await a.run(['test', '-e', `${data}/program/parts-change.json`])).code
      await expect.poll(isChanging, { interval: 50 }).toBe(0)
      await upgraded.reboot('a', 'power lost')
      await going
      await upgraded.pair.until('ready')
      // The upgrade may have given up on the machine: then it is run again, as an operator would.
      await expect.poll(async () => (await upgraded.upgrade('new')).exit).toBe(0)
      expect(await upgraded.versions()).toEqual(everywhere(present))
      for (const machine of upgraded.serving) {
        await expectPresentParts(machine)
        expect(await upgraded.partsOn(machine)).not.toContain('probe')
      }
    })

    it('are exactly those of the previous build after a return to it', async () => {
      const pids = await upgraded.pids()
      upgraded.beginLoad()
      expect((await upgraded.upgrade('old')).upgrade).toMatchObject({ state: 'completed' })
      expect(await upgraded.versions()).toEqual(everywhere(before))
      // This version runs as an upgrade here, beside the same installed version: only the program differs.
      expect((await upgraded.parts()).map(withoutProgram)).toEqual(upgraded.joined.map(withoutProgram))
      expect(await upgraded.pids()).toEqual(pids)
      await upgraded.endLoad()
    })
  })
}

/** A unit that a driver writes names the program in its text; the others have a drop-in. */
const withoutProgram = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/\.service\.d/.test(line))
    .join('\n')
    .replaceAll(/\/var\/lib\/tandem\/program\/releases\/[0-9a-f]{64}/g, '/usr/lib/tandem')
