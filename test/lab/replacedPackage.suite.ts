import { beforeAll, describe, expect, it } from 'vitest'
import { firewallUnit } from '../../src/layout/firewall.ts'
import { installCommand } from './pair.ts'
import { bootMs } from './sharedPair.ts'
import { data, present, type UpgradedPair } from './upgradedPair.ts'
import { expectPresentParts } from './wantedParts.ts'

/** Machine b has the package of the previous build; at the end, that of this checkout. */
export const replacedPackageSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('the units, users and folders of a machine whose package is replaced', () => {
    let upgraded: UpgradedPair
    beforeAll(async () => {
      upgraded = await lend()
    }, bootMs)

    it('are those of a package that replaces the previous build', async () => {
      const b = upgraded.pair.lab.machine('b')
      await rejoin()
      await expect.poll(async () => (await b.run(['systemctl', 'is-active', 'tandem-haproxy.service'])).code).toBe(0)
      await b.must(installCommand(upgraded.newPackage))
      await expect.poll(async () => (await upgraded.versions())[1]).toBe(present)
      await expectPresentParts(b)
      await expect.poll(() => upgraded.leftOver()).toEqual([])
      expect(await b.must(['sh', '-c', `ls ${data}/program | grep -e change -e parts-of || true`])).toBe('')
      await upgraded.pair.until('ready')
    })

    it('are those of the installed version after the machine left and joined again', async () => {
      await rejoin()
      await expect.poll(async () => (await upgraded.versions())[1]).toBe(present)
      await expectPresentParts(upgraded.pair.lab.machine('b'))
      await upgraded.pair.until('ready')
      expect(await upgraded.problems()).toEqual([])
    })

    /** Nothing of Tandem is left on b before it joins again. */
    async function rejoin(): Promise<void> {
      const b = upgraded.pair.lab.machine('b')
      await b.must(['tandem', 'agent', 'leave', '--purge', '--remove-data'])
      const units = await b.must(['ls', '/etc/systemd/system'])
      // The previous build cannot know a unit that came later; without its rules it does nothing.
      const own = units.split('\n').filter((one) => one.startsWith('tandem') && one !== firewallUnit)
      expect(own).toEqual([])
      await upgraded.pair.join('b')
      await upgraded.pair.until('ready')
    }
  })
}
