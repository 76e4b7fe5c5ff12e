import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { killAtRandom, killUnits } from './killUnits.ts'
import { bootMs } from './sharedPair.ts'
import { before, present, type Upgraded, type UpgradedPair } from './upgradedPair.ts'

/** Number of kills in total, and at most in one upgrade. Each killed upgrade is then run again without kills. */
const { seed, count: kills } = randomRun('kills', { check: 3, soak: 100 })
const killsEach = 20
/** An exit status from here up means a signal. */
const firstSignalCode = 128
/** Expected refusals: no controller answers, an upgrade is already running, or a machine has not reported yet. */
const tooSoonCodes = [3, 4]
const bugCode = 70
const everywhere = [present, present, present]

/** The pair runs this checkout, also at the end. */
export const interruptedUpgradeSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('an upgrade that is interrupted', () => {
    let upgraded: UpgradedPair
    beforeAll(async () => {
      upgraded = await lend()
    }, bootMs)
    afterEach(() => upgraded.dropLoad())

    it('still runs the new version after a reboot, beside the installed one', async () => {
      await upgraded.reboot('a', 'in order')
      await upgraded.pair.until('ready')
      expect((await upgraded.versions()).slice(0, 2)).toEqual([present, present])
      expect(await upgraded.pair.lab.machine('a').must(['tandem', '--version'])).toBe(`${before}\n`)
    })

    it('continues a trial that was interrupted before its unit ran; an older agent works under the newer controller', async () => {
      const b = upgraded.pair.lab.machine('b')
      const trial = { key: 'cut-off/back', unit: 'tandem-agent.service', to: null, from: null, withinMs: 30_000 }
      b.write('/var/lib/tandem/program/trial.json', JSON.stringify(trial), 0o644)
      await b.must(['systemctl', 'kill', '--signal=KILL', 'tandem-agent'])
      await expect.poll(() => upgraded.versions()).toEqual([present, before, present])
      upgraded.beginLoad()
      await upgraded.pushWeb()
      const { upgrade: done } = await upgraded.upgrade('new')
      expect(done).toMatchObject({
        ...{ state: 'completed', reason: null },
        parts: [{ part: 'b', from: before, state: 'done', reason: null }],
      })
      expect(await upgraded.versions()).toEqual(everywhere)
      await upgraded.endLoad()
    })

    it(
      `finishes when it is run again, after kills of any part of Tandem at any moment (${kills} kills, TANDEM_SEED=${seed})`,
      { timeout: 600_000 + kills * 15_000 },
      async () => {
        const random = seededRandom(seed)
        const pids = await upgraded.pids()
        upgraded.beginLoad()
        for (let killed = 0; killed < kills;) {
          const isNew = (await upgraded.versions())[2] === present
          const to = isNew ? { name: 'old', version: before } : { name: 'new', version: present }
          const over = new AbortController()
          const most = Math.min(killsEach, kills - killed)
          const killing = killAtRandom({ random, most, signal: over.signal, withinMs: 1_500 }, () => killOne(random))
          await upgradeWhileKilled(to.name)
          over.abort()
          const done = await killing
          killed += done
          await untilOver()
          await upgradeAgain(to.name)
          expect(await upgraded.versions()).toEqual([to.version, to.version, to.version])
          console.log(`${done} kills on the way to ${to.version}`)
        }
        expect(await upgraded.pids()).toEqual(pids)
        await upgraded.endLoad().catch(async (error: unknown) => {
          console.log(await upgraded.told())
          throw error
        })
        expect(await upgraded.leftOver()).toEqual([])
        await upgradeAgain('new')
      },
    )

    /** Pattern of the command that a person typed. */
    const command = 'tandem upgrade'
    const victims = [
      ...['tandem-*-trial.service', 'tandem-agent.service tandem-controller.service'],
      'tandem-privileged.service tandem-guard.service',
      command,
    ]
    const killCommand = async (): Promise<boolean> =>
      (await upgraded.pair.controller.run(['pkill', '-KILL', '-f', 'tandem.* upgrade /media'])).code === 0
    async function killOne(random: () => number): Promise<boolean> {
      const { machines } = upgraded.pair.lab
      const machine = machines[Math.floor(random() * machines.length)]
      const units = victims[Math.floor(random() * victims.length)]
      if (!machine || !units) return false
      return units === command ? killCommand() : killUnits(machine, units)
    }

    /** Without further kills, waits until the started upgrade ends, successfully or not. */
    async function untilOver(): Promise<void> {
      const { pair } = upgraded
      await pair.until('ready')
      const deadline = performance.now() + 200_000
      for (;;) {
        const { upgrade: last } = await pair.tandem<Partial<Upgraded>>('upgrade', '--show')
        // No answer: the controller was killed a moment ago.
        if (last !== undefined && last?.finishedAt !== null) return
        if (performance.now() > deadline) throw new Error(`${JSON.stringify(last)}\n${await upgraded.told()}`)
        await pause(500)
      }
    }

    /**
     * Repeats the command until it has followed an upgrade to its end: the command itself may be killed, or run too
     * soon.
     */
    async function upgradeWhileKilled(name: string): Promise<void> {
      const typed = ['tandem', 'upgrade', `/media/packages/${name}`]
      const { code } = await upgraded.pair.controller.run(typed, { timeoutMs: 300_000 })
      expect(code).not.toBe(bugCode)
      if (code < firstSignalCode && !tooSoonCodes.includes(code)) return
      await pause(200)
      await upgradeWhileKilled(name)
    }

    /**
     * An operator would also retry if a controller that was just killed does not answer yet, or has not received all
     * reports.
     */
    async function upgradeAgain(name: string): Promise<void> {
      const deadline = performance.now() + 60_000
      for (;;) {
        const tried = await upgraded.upgrade(name)
        if (tried.exit === 0) return
        if (!tooSoonCodes.includes(tried.exit) || performance.now() > deadline)
          throw new Error(`${JSON.stringify(tried)}\n${await upgraded.told()}`)
      }
    }
  })
}
