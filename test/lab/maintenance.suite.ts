import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { MaintenanceView } from '../../src/api/maintenance.ts'
import { web } from '../system/rollUnderLoad.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

export const maintenanceSuite = (lend: () => Promise<Pair>): void => {
  describe('maintenance of real machines', () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await lend()
      await pair.roll('web', web({ name: 'web', version: '1', drain: 1_000 }))
    }, bootMs)
    afterEach(() => pair.lab.network.heal())

    const machine = (name: string) => pair.lab.machine(name)
    const begun = (name: string): Promise<string> => machine(name).must(['stat', '-c', '%Y', '/proc/1'])
    const maintain = (...args: string[]) => pair.tandem<{ maintenance: MaintenanceView }>(...args)
    const script = (text: string): void => pair.controller.write('/root/patch.sh', text)
    const instances = async (): Promise<string[]> => {
      const { services } = await pair.status()
      return services.flatMap((one) => one.instances.map(({ machine: on, state }) => `${on} ${state}`)).toSorted()
    }

    it('patches and restarts one machine after the other, and each serves again before the next', async () => {
      script('#!/bin/sh -e\ncat /proc/uptime > /var/lib/patched\necho patched it\n')
      const before = [await begun('a'), await begun('b')]
      const patched = await maintain('machine', 'patch', '--all', '--script', '/root/patch.sh')
      expect(patched).toMatchObject({ exit: 0, maintenance: { state: 'completed' } })
      expect(patched.err).toMatch(/a {2}drain[^]*a {2}work[^]*a {2}check[^]*a {2}done[^]*b {2}drain[^]*b {2}done/)
      for (const [index, name] of ['a', 'b'].entries()) {
        expect(await begun(name)).not.toBe(before[index])
        await machine(name).must(['test', '-s', '/var/lib/patched'])
        expect(await machine(name).must(['ls', '/var/lib/tandem/privileged/maintenance'])).toBe('')
      }
      await expect.poll(instances).toEqual(['a ready', 'b ready'])
    })

    it('stops at a script that fails, with its last lines, and resumes from there', async () => {
      script('test -e /run/mirror || { echo cannot reach the mirror; exit 3; }\necho >>/run/patched\n')
      const failed = await maintain('machine', 'patch', '--all', '--script', '/root/patch.sh', '--no-reboot')
      expect(failed).toMatchObject({ exit: 1, maintenance: { state: 'stopped' } })
      expect(failed.maintenance.reason).toContain('exited with status 3; its last lines: cannot reach the mirror')
      const { machines } = await pair.status()
      expect(machines.map(({ name, state }) => `${name} ${state}`)).toEqual(['a drained', 'b ready'])
      const again = await maintain('maintenance', 'resume')
      expect(again).toMatchObject({ exit: 1, maintenance: { state: 'stopped' } })
      for (const name of ['a', 'b']) await machine(name).must(['touch', '/run/mirror'])
      expect(await maintain('maintenance', 'resume')).toMatchObject({
        exit: 0,
        maintenance: { state: 'completed', machines: [{ state: 'done' }, { state: 'done' }] },
      })
      // The script ran once on each machine, although the maintenance was resumed several times.
      for (const name of ['a', 'b']) expect(await machine(name).must(['cat', '/run/patched'])).toBe('\n')
      await expect.poll(instances).toEqual(['a ready', 'b ready'])
    })

    it('a script survives the agent and the controller, and is stopped at its time limit', async () => {
      script('sleep 4\ntouch /var/lib/slept\n')
      const patching = maintain('machine', 'patch', 'a', '--script', '/root/patch.sh', '--no-reboot')
      await expect
        .poll(() =>
          machine('a')
            .run(['pgrep', '-f', 'sleep 4'])
            .then(({ code }) => code),
        )
        .toBe(0)
      await machine('a').must(['systemctl', 'kill', '-s', 'KILL', 'tandem-agent'])
      await pair.controller.must(['systemctl', 'restart', 'tandem-controller'])
      expect(await patching).toMatchObject({ exit: 0, maintenance: { state: 'completed' } })
      await machine('a').must(['test', '-e', '/var/lib/slept'])
      script('sleep 1000\n')
      const late = await maintain(
        'machine',
        'patch',
        'a',
        '--script',
        '/root/patch.sh',
        '--within',
        '1s',
        '--no-reboot',
      )
      expect(late.maintenance.reason).toContain('patch.sh did not end within 1 s')
      expect((await machine('a').run(['pgrep', '-f', 'sleep 1000'])).code).toBe(1)
      await maintain('machine', 'ready', 'a')
    })

    it('prepare is not run a second time when its agent is killed meanwhile: its unit ends, and all go back', async () => {
      const script = 'echo $$ >> "$TANDEM_DATA/preparing"; exec sleep 1000'
      const text = web({
        name: 'web',
        version: '2',
        drain: 1_000,
        more: `prepare: [sh, -c, ${JSON.stringify(script)}]\n`,
      })
      const pushing = pair.push('web', text)
      const pids = async (): Promise<string[]> => {
        const { out } = await machine('a').run(['cat', '/var/lib/tandem-data/web/preparing'])
        return out.split('\n').filter((line) => line !== '')
      }
      await expect.poll(async () => (await pids()).length).toBe(1)
      await machine('a').must(['systemctl', 'kill', '-s', 'KILL', 'tandem-agent'])
      const { exit, rollout } = await pushing
      expect(exit).toBe(1)
      expect(rollout?.reason).toContain('prepare failed on machine a: the agent ended while prepare ran')
      expect(await pids()).toHaveLength(1)
      const units = ['systemctl', 'list-units', '--all', '--plain', '--no-legend', '*-prepare.service']
      await expect.poll(() => machine('a').must(units)).toBe('')
      const kept = await machine('a').must(['cat', '/var/lib/tandem/jobs.json'])
      expect((JSON.parse(kept) as { jobs: unknown[] }).jobs.at(-1)).toMatchObject({
        ...{ kind: 'prepare', id: rollout?.id, state: 'ended', ending: { how: 'interrupted' } },
      })
      await expect.poll(instances).toEqual(['a ready', 'b ready'])
    })

    it('a machine drained with --stop runs no service, and all services again when it is put back', async () => {
      expect(await maintain('machine', 'drain', 'a', '--stop')).toMatchObject({ exit: 0 })
      await expect.poll(instances).toEqual(['b ready'])
      expect((await machine('a').run(['pgrep', '-f', 'web.mjs'])).code).toBe(1)
      expect(await maintain('machine', 'ready', 'a')).toMatchObject({ exit: 0 })
      await expect.poll(instances).toEqual(['a ready', 'b ready'])
    })

    it('refuses a maintenance that would stop the last ready instance', async () => {
      await machine('b').kill()
      await pair.until('lost', ['b'])
      expect(await maintain('machine', 'reboot', 'a')).toMatchObject({ exit: 4, error: { code: 'E_LAST_INSTANCE' } })
      expect(await maintain('machine', 'reboot', 'b')).toMatchObject({ exit: 4, error: { code: 'E_MACHINE_LOST' } })
      await machine('b').boot()
      await pair.until('ready', ['b'])
    })
  })
}
