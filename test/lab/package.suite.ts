import { beforeAll, describe, expect, it } from 'vitest'
import { failuresOf, web } from '../system/rollUnderLoad.ts'
import { ClientLoad } from './clientLoad.ts'
import type { LabMachine } from './labMachine.ts'
import { installPackage, type Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const parts = ['tandem-agent', 'tandem-controller', 'tandem-haproxy']

/** Removes the package from machines: the last suite of a pair. */
export const packageSuite = (lend: () => Promise<Pair>, packageFile: () => string): void => {
  describe('the Debian package on real machines', () => {
    let pair: Pair
    let file = ''
    beforeAll(async () => {
      pair = await lend()
      file = packageFile()
      const pushed = await pair.roll('web', web({ name: 'web', version: '1', drain: 3_000 }))
      expect(pushed.rollout?.machines.map(({ state }) => state)).toEqual(['done', 'done'])
    }, bootMs)

    const stateOf = async (machine: LabMachine, unit: string): Promise<string> =>
      (await machine.run(['systemctl', 'is-active', unit])).out.trim()
    /** Main pids of every instance, and of HAProxy. */
    const pidsOf = (machine: LabMachine): Promise<string> =>
      machine.must(['systemctl', 'show', '--property=Id,MainPID', 'tandem-web-*', 'tandem-haproxy.service'])
    const answerOf = async (entry: string): Promise<string> =>
      (await pair.lab.client.run(['curl', '-s', '--max-time', '5', entry])).out

    it('founded the serving cluster: the machines have no other Tandem program', async () => {
      for (const machine of pair.lab.machines) {
        expect(await machine.must(['dpkg', '--verify', 'tandem'])).toBe('')
        expect(await machine.must(['readlink', '-f', '/usr/bin/tandem'])).toBe('/usr/lib/tandem/bin/tandem\n')
        expect(await machine.must(['tandem', '--version'])).toMatch(/^\d+\.\d+\.\d+/)
      }
      expect(await pair.lab.machine('a').must(['systemctl', 'show', '--property=ExecStart', 'tandem-agent'])).toContain(
        'path=/usr/lib/tandem/bin/node ;',
      )
      for (const entry of pair.entries) expect(await answerOf(entry)).toBe('hello 1')
    })

    it('upgrades the running program under load: only the agent restarts', async () => {
      const a = pair.lab.machine('a')
      const load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 200 })
      const [before, agent] = [
        await pidsOf(a),
        await a.must(['systemctl', 'show', '--property=MainPID', 'tandem-agent']),
      ]
      await installPackage(a, file)
      await pair.until('ready')
      expect(await a.must(['systemctl', 'show', '--property=MainPID', 'tandem-agent'])).not.toBe(agent)
      expect(await pidsOf(a)).toBe(before)
      expect(failuresOf(await load.stop())).toEqual([])
    })

    it('is removed and purged under load: services continue, also after a reboot, and belong to the cluster again', async () => {
      const a = pair.lab.machine('a')
      const load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 200 })
      const before = await pidsOf(a)
      await a.must(['dpkg', '--remove', 'tandem'])
      expect(await stateOf(a, 'tandem-agent')).toBe('inactive')
      expect(await pidsOf(a)).toBe(before)
      await installPackage(a, file)
      expect(await stateOf(a, 'tandem-agent')).toBe('inactive')
      await a.must(['systemctl', 'enable', '--now', 'tandem-privileged.socket', 'tandem-agent'])
      await pair.until('ready')
      const { err } = await a.run(['dpkg', '--purge', 'tandem'])
      expect(err).toContain('kept /var/lib/tandem')
      expect(await pidsOf(a)).toBe(before)
      expect(failuresOf(await load.stop())).toEqual([])
      expect((await a.run(['ls', '/usr/bin/tandem', '/usr/lib/tandem/bin'])).code).not.toBe(0)
      await a.reboot()
      await expect.poll(() => answerOf(pair.entries[0] ?? '')).toBe('hello 1')
      expect((await a.run(['systemctl', 'cat', 'tandem-agent'])).code).not.toBe(0)
      // The guard's program is missing: systemd skips the unit and does not retry it, and the addresses work without
      // the guard.
      const guard = await a.must(['systemctl', 'show', '-p', 'ActiveState,ConditionResult,NRestarts', 'tandem-guard'])
      expect(guard.trim().split('\n').toSorted()).toEqual(['ActiveState=inactive', 'ConditionResult=no', 'NRestarts=0'])
      expect(await stateOf(a, 'tandem-keepalived')).toBe('active')
    })

    it('starts nothing on a machine where nothing ran', async () => {
      const { controller } = pair
      await controller.must(['dpkg', '--purge', 'tandem'])
      await installPackage(controller, file)
      for (const part of parts) expect(await stateOf(controller, part), part).toBe('inactive')
    })
  })
}
