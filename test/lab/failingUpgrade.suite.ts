import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { killAtRandom, killUnits } from './killUnits.ts'
import { bootMs } from './sharedPair.ts'
import { before, type UpgradedPair } from './upgradedPair.ts'

const { seed, count: kills } = randomRun('parts_kills', { check: 3, soak: 100 })
const old = [before, before, before]

/** The pair runs the previous build, also at the end. */
export const failingUpgradeSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('an upgrade that fails', () => {
    let upgraded: UpgradedPair
    let pids: string[]
    beforeAll(async () => {
      upgraded = await lend()
      pids = await upgraded.pids()
    }, bootMs)
    afterEach(() => upgraded.dropLoad())

    /** No process of a service has ended, and everything of Tandem is as it was. */
    async function expectAsBefore(): Promise<void> {
      await expect.poll(() => upgraded.versions()).toEqual(old)
      await expect.poll(() => upgraded.parts()).toEqual(upgraded.joined)
      expect(await upgraded.pids()).toEqual(pids)
    }

    it('rolls back automatically from a version that exits at its start, and nothing is lost', async () => {
      upgraded.addBroken('crashing', { version: '0.2.6', part: 'agent', trouble: 'true) process.exit(3)' })
      upgraded.beginLoad()
      const { exit, upgrade: done } = await upgraded.upgrade('crashing')
      // The trial runs the installed version's program, which may be older.
      expect(done).toMatchObject({ state: 'reverted', reason: expect.stringMatching(/(exits|ends) at its start/) })
      expect(exit).toBe(1)
      await expectAsBefore()
      await upgraded.endLoad()
      expect(await upgraded.problems()).toEqual([])
      expect(await upgraded.leftOver()).toEqual([])
    })

    it('rolls back automatically from a version that never connects to the controller', async () => {
      upgraded.addBroken('silent', { version: '0.2.7', part: 'agent', trouble: 'true) setInterval(() => {}, 1000)' })
      upgraded.beginLoad()
      const { upgrade: done } = await upgraded.upgrade('silent')
      expect(done).toMatchObject({
        state: 'reverted',
        reason: expect.stringMatching(/did not confirm|was not seen to work/),
      })
      await expectAsBefore()
      await upgraded.endLoad()
    })

    it('rolls back from a version that exits under its own units, users and folders', async () => {
      const trouble = "existsSync('/run/tandem-probe.sock')) process.exit(3)"
      upgraded.addBroken('failing', { version: '0.2.8', part: 'agent', trouble })
      upgraded.beginLoad()
      const { exit, upgrade: done } = await upgraded.upgrade('failing')
      expect(done).toMatchObject({ state: 'reverted' })
      expect(exit).toBe(1)
      await expectAsBefore()
      await upgraded.endLoad()
    })

    it('rolls back everywhere if the controller of the new version does not start', async () => {
      upgraded.addBroken('headless', { version: '0.2.9', part: 'controller', trouble: 'true) process.exit(3)' })
      upgraded.beginLoad()
      const { exit, upgrade: done } = await upgraded.upgrade('headless')
      expect(done?.parts.map(({ part, state }) => [part, state])).toEqual([
        ['a', 'reverted'],
        ['b', 'reverted'],
        ['@controller', 'failed'],
      ])
      expect(exit).toBe(1)
      await expectAsBefore()
      await upgraded.endLoad()
      expect(await upgraded.leftOver()).toEqual([])
    })

    it(
      `leaves everything as before when it is killed at any moment (${kills} kills, TANDEM_SEED=${seed})`,
      { timeout: 600_000 + kills * 30_000 },
      async () => {
        const random = seededRandom(seed)
        upgraded.beginLoad()
        for (let killed = 0; killed < kills;) {
          const over = new AbortController()
          const killing = killAtRandom({ random, most: 3, signal: over.signal, withinMs: 800 }, () => killOne(random))
          await upgraded.upgrade('failing')
          over.abort()
          killed += await killing
          await expectAsBefore()
        }
        await upgraded.endLoad()
        expect(await upgraded.leftOver()).toEqual([])
      },
    )

    const victims = [
      'tandem-agent-trial.service',
      'tandem-agent-parts.service',
      'tandem-agent-parts.service',
      'tandem-agent.service',
      'tandem-privileged.service',
    ]
    function killOne(random: () => number): Promise<boolean> {
      const machine = upgraded.pair.lab.machine(random() < 0.7 ? 'a' : 'b')
      return killUnits(machine, victims[Math.floor(random() * victims.length)] ?? '')
    }
  })
}
