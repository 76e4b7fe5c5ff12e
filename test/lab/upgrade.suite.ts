import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bootMs } from './sharedPair.ts'
import { present, type UpgradedPair } from './upgradedPair.ts'
import { expectPresentParts } from './wantedParts.ts'

const everywhere = [present, present, present]

/** From the previous build to this checkout. */
export const upgradeSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('tandem upgrade', () => {
    let upgraded: UpgradedPair
    beforeAll(async () => {
      upgraded = await lend()
    }, bootMs)
    afterEach(() => upgraded.dropLoad())

    it('upgrades machines, controller and their units under load and during a rollout, which completes', async () => {
      upgraded.beginLoad()
      const lines = await upgraded.pids(['tandem-line-*'])
      const rolling = upgraded.pushWeb()
      const { exit, upgrade: done } = await upgraded.upgrade('new')
      expect(done?.parts.map(({ part, state }) => [part, state])).toEqual([
        ['a', 'done'],
        ['b', 'done'],
        ['@controller', 'done'],
      ])
      expect(exit).toBe(0)
      expect((await rolling).rollout?.state).toBe('completed')
      await upgraded.pushWeb()
      expect(await upgraded.versions()).toEqual(everywhere)
      expect(await upgraded.pids(['tandem-line-*'])).toEqual(lines)
      await upgraded.endLoad()
      for (const machine of upgraded.pair.lab.machines) await expectPresentParts(machine)
      expect(await upgraded.leftOver()).toEqual([])
      expect(await upgraded.problems()).toEqual([])
      expect(await upgraded.upgrade('new')).toMatchObject({ exit: 0, upgrade: null })
    })
  })
}
