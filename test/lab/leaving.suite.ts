import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failuresOf, line, web } from '../system/rollUnderLoad.ts'
import { AddressWatch } from './addressWatch.ts'
import { ClientLoad } from './clientLoad.ts'
import { entryPort, tcpPort, type Pair } from './pair.ts'
import { bootMs, virtualAddress as address } from './sharedPair.ts'

/** Needs a pair with a virtual address. */
export const leavingSuite = (lend: () => Promise<Pair>): void => {
  describe('leaving', () => {
    let pair: Pair
    let watch: AddressWatch
    beforeAll(async () => {
      pair = await lend()
      watch = new AddressWatch(pair.lab, address)
      for (const name of ['a', 'b']) await watch.watch(name)
      await pair.roll('web', web({ name: 'web', version: '1' }))
      const more = `routes: [{ port: ${tcpPort}, expose: public }]\n`
      await pair.roll('line', line({ name: 'line', version: '1', more }), 'line.mjs')
    }, bootMs)
    afterAll(() => watch?.close())

    const a = () => pair.lab.machine('a')
    const services = (): Promise<string> => a().must(['pgrep', '-f', 'web.mjs|line.mjs|haproxy -Ws|sbin/keepalived'])
    const left = async (...args: string[]): Promise<Record<string, unknown> & { code: number }> => {
      const { code, out } = await a().run(['tandem', 'agent', 'leave', ...args, '--json'])
      return { ...(JSON.parse(out) as Record<string, unknown>), code } // one line of JSON
    }
    const virtual = `http://${address}:${entryPort}`
    const answer = async (entry = pair.entries[0] ?? ''): Promise<string> =>
      (await pair.lab.client.run(['curl', '-s', '--max-time', '2', entry])).out
    /** Moves the address to this machine, by the commands of an operator. */
    async function holdsIt(name: 'a' | 'b'): Promise<void> {
      await expect.poll(() => watch.holders.length).toBe(1)
      if (watch.holders[0] === name) return
      const other = name === 'a' ? 'b' : 'a'
      for (const verb of ['drain', 'ready'])
        expect(await pair.tandem('machine', verb, other)).toMatchObject({ exit: 0 })
      expect(watch.holders).toEqual([name])
    }

    it('removes Tandem from a machine, and no request is lost: services, HAProxy and the address continue, also after a reboot', async () => {
      const before = await services()
      await holdsIt('a')
      const moves = watch.changes.length
      const entries = [...pair.entries, virtual]
      const load = new ClientLoad(pair.lab, { entries, perSecond: 200, tcp: pair.tcpEntries })
      // Interrupted three times in the middle; then run to its end.
      for (const afterMs of ['0.15', '0.3', '0.6']) {
        await a().run(['timeout', '-s', 'KILL', afterMs, 'tandem', 'agent', 'leave'])
      }
      const outcome = await left()
      expect(failuresOf(await load.stop())).toEqual([])
      expect(outcome['units']).toEqual(expect.arrayContaining(['tandem-haproxy.service', 'tandem-keepalived.service']))
      expect(outcome['units']).toHaveLength(5)
      expect(watch.changes.slice(moves)).toEqual([])
      expect(await services()).toBe(before)
      expect((await a().run(['systemctl', 'cat', 'tandem-agent'])).code).not.toBe(0)
      expect((await a().must(['ls', '/var/lib/tandem'])).split('\n')).not.toContain('joined.json')
      // Without a guard, no process updates track files: one that is left must not keep keepalived from holding the
      // address.
      const config = await a().must(['cat', '/var/lib/tandem/privileged/address/keepalived.conf'])
      expect(config).not.toContain('track_file')
      watch.gone('a')
      await a().reboot()
      await expect.poll(() => answer()).toBe('hello 1')
      await watch.watch('a')
      await expect.poll(() => watch.holders).toEqual(['b'])
      await pair.lab.machine('b').must(['systemctl', 'stop', 'tandem-keepalived'])
      await expect.poll(() => watch.holders).toEqual(['a'])
      expect(await answer(virtual)).toBe('hello 1')
      await pair.lab.machine('b').must(['systemctl', 'start', 'tandem-keepalived'])
    })

    it('removes everything with --purge, and the data only with --remove-data', async () => {
      await a().must(['sh', '-c', 'echo precious > /var/lib/private/tandem-data/web/kept'])
      expect(await left('--purge')).toMatchObject({ code: 2, error: { code: 'E_USAGE' } })
      expect(await answer()).toBe('hello 1')
      const web = '/var/lib/private/tandem-data/web'
      const outcome = await left('--purge', '--keep-data')
      expect(outcome).toMatchObject({ code: 0, units: [], keptData: ['web'] })
      const stays = outcome['stays'] as { where: string; remove: string | null }[] // the command's JSON
      const places = stays.map(({ where }) => where)
      expect(places).toEqual(
        expect.arrayContaining([web, '/etc/tandem', '/var/lib/tandem-data', 'tandem', 'tandem_haproxy']),
      )
      for (const { where } of stays.filter(({ where }) => where.startsWith('/'))) await a().must(['test', '-e', where])
      // Everything else that remains was listed by the command.
      const found = await a().must([
        'sh',
        '-c',
        'ls -d /var/lib/*tandem* /run/*tandem* /etc/*tandem* /etc/systemd/system/*tandem* 2>/dev/null; true',
      ])
      expect(found.trim().split('\n')).toEqual(['/etc/tandem', '/var/lib/tandem-data'])
      expect((await a().run(['pgrep', '-f', 'web.mjs|line.mjs|haproxy'])).code).toBe(1)
      expect((await a().run(['systemctl', 'list-unit-files', 'tandem*', '--no-legend'])).out.trim()).toBe('')
      expect((await a().run(['ls', '/var/lib/tandem'])).code).not.toBe(0)
      expect(await a().must(['cat', '/var/lib/private/tandem-data/web/kept'])).toBe('precious\n')
      expect(await left('--purge', '--remove-data')).toMatchObject({ code: 2 })
    })

    it('the machine joins again, and serves', async () => {
      await pair.join('a')
      await pair.until('ready', ['a'])
      await expect.poll(() => answer()).toBe('hello 1')
    })
  })
}
