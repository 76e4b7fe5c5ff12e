import { beforeAll, describe, expect, it } from 'vitest'
import { controllerLines } from '../../src/parts/unitTexts.ts'
import { controllerSocket } from '../../src/layout/folders.ts'
import { askingAt } from './askHelper.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const [unit, user, data] = ['tandem-controller', 'tandem_controller', '/var/lib/tandem-controller']
const mostExposure = 2

const asking = askingAt(controllerSocket)

export const controllerUserSuite = (lend: () => Promise<Pair>): void => {
  describe('the controller, which is not root', () => {
    let pair: Pair
    let machine: LabMachine
    beforeAll(async () => {
      pair = await lend()
      machine = pair.controller
    }, bootMs)

    /** As the controller's user, without its jail. */
    const asUser = (...argv: string[]) =>
      machine.run(['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--no-new-privs', '--', ...argv])
    const ask = async (operation: string, args: object): Promise<string> => {
      const request = JSON.stringify({ operation, arguments: args })
      return (await asUser('node', '--input-type=module', '-e', asking, request)).out
    }
    const restart = async (): Promise<void> => {
      await machine.must(['systemctl', 'restart', unit])
      await pair.until('ready')
    }

    it('runs as its user without any capability, and is exposed to at most 2.0', async () => {
      const pid = (await machine.must(['systemctl', 'show', '-P', 'MainPID', unit])).trim()
      const uid = (await machine.must(['id', '-u', user])).trim()
      const status = await machine.must(['cat', `/proc/${pid}/status`])
      expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'))
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'))
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
      const said = await machine.must(['systemd-analyze', 'security', '--no-pager', `${unit}.service`])
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1])
      console.log(`systemd-analyze security ${unit}: ${exposure}`)
      expect(exposure).toBeLessThanOrEqual(mostExposure)
    })

    it('cannot change the programs that root runs, nor move their folder away', async () => {
      for (const argv of [
        ['touch', `${data}/program/trial.json`],
        ['mv', `${data}/program`, `${data}/elsewhere`],
        ['rm', '-r', `${data}/program`],
      ])
        expect(await asUser(...argv), argv.join(' ')).toMatchObject({ code: 1 })
      expect(await machine.must(['stat', '-c', '%U %a', `${data}/program`])).toBe('root 755\n')
    })

    it('gets from its helper the change of its own program, and nothing else', async () => {
      expect(await ask('unit.write', {})).toContain('unknown operation')
      const about = { key: 'u/forward', version: '9.9.9', order: null }
      expect(await ask('program.prepare', { ...about, release: '../../../etc' })).toContain('invalid arguments')
      expect(await ask('program.prepare', { ...about, release: 'f'.repeat(64) })).toContain('"error"')
      expect(await machine.must(['ls', `${data}/program/releases`])).toBe('')
      // Another user has no access to the socket.
      const other = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--']
      const { out } = await machine.run([...other, 'node', '--input-type=module', '-e', asking, '{}'])
      expect(out).toBe('error EACCES\n')
    })

    it('gets at its start what a backup restored by root left, and nothing to which a link leads', async () => {
      await machine.must(['systemctl', 'stop', unit])
      await machine.must(['chown', '-R', 'root:root', `${data}/controller.db`, `${data}/releases`, `${data}/identity`])
      await machine.must(['ln', '-s', '/etc/shadow', `${data}/planted`])
      const shadow = await machine.must(['stat', '-c', '%U %G %a', '/etc/shadow'])
      await restart()
      const owners = await machine.must(['find', data, '-mindepth', '1', '-maxdepth', '1', '-printf', '%f %u\n'])
      const own = owners.trim().split('\n').sort()
      expect(own).toContain(`controller.db ${user}`)
      expect(own.filter((line) => !line.endsWith(` ${user}`))).toEqual(['privileged root', 'program root'])
      expect(await machine.must(['stat', '-c', '%U %G %a', '/etc/shadow'])).toBe(shadow)
      await machine.must(['rm', `${data}/planted`])
    })

    it('may listen on a port below 1024', async () => {
      const lines = controllerLines({ user, data, isLowPort: true })
      const properties = lines.filter((line) => !line.startsWith('ExecStartPre=')).map((line) => `--property=${line}`)
      const listening =
        "require('net').createServer().listen(443, () => process.exit(0)).on('error', () => process.exit(3))"
      const run = ['systemd-run', '--quiet', '--wait', '--collect', ...properties]
      expect(await machine.run([...run, 'node', '-e', listening])).toMatchObject({ code: 0 })
    })
  })
}
