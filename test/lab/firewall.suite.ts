import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallView, GuardView, WhyView } from '../../src/api/firewall.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 'rollout: { drain: 1s }'
const echo = `service: echo\nrun: [node, web.mjs]\nroutes: [{ host: echo.example.com }]\n${drain}\n`
const program = (name: string, more = ''): string =>
  `service: ${name}\nrun: [node, web.mjs]\nroutes: [{ host: ${name}.example.com }]\n${more}${drain}\n`
const observe = { more: 'firewall: { mode: observe }\n' }
const enforce = { more: 'firewall: { mode: enforce, users: [games] }\n' }

/** The kernel of a machine keeps services from each other, by the users that they have there. */
export const firewallSuite = (lend: () => Promise<Pair>): void => {
  describe('the firewall', () => {
    let pair: Pair
    const a = (): LabMachine => pair.lab.machine('a')
    /** The answer to a call that a service makes. */
    const calls = async (service: string, url: string): Promise<string> => {
      const path = `http://127.0.0.1/call?url=${encodeURIComponent(url)}`
      return (await a().run(['curl', '-s', '--max-time', '5', '-H', `Host: ${service}.example.com`, path])).out
    }
    const echoUrl = 'http://echo.tandem.internal/'
    const refused = (): Promise<string> => a().must(['nft', 'list', 'set', 'inet', 'tandem', 'refused'])
    const asUser = (user: string, url: string): Promise<number> =>
      a()
        .run(['setpriv', `--reuid=${user}`, '--clear-groups', 'curl', '-s', '--max-time', '5', '-o', '/dev/null', url])
        .then(({ code }) => code)

    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster(observe)
      await pair.roll('echo', echo)
      await pair.roll('caller', program('caller', 'uses: [echo]\n'))
      await pair.roll('stranger', program('stranger'))
    }, bootMs)
    afterAll(async () => {
      for (const service of ['stranger', 'caller', 'echo'])
        if ((await pair.status()).services.some((one) => one.service === service)) await pair.remove(service)
      await pair.applyCluster()
      await pair.until('ready')
    })

    it('only counts in the mode observe', async () => {
      expect(await calls('caller', echoUrl)).toMatch(/^200 /)
      expect(await calls('stranger', echoUrl)).toMatch(/^200 /)
      await expect.poll(refused).toContain('127.77.')
    })

    it('then refuses a service that no `uses` names, and nobody else, without a request lost', async () => {
      await pair.applyCluster(enforce)
      await pair.until('ready')
      await expect.poll(() => calls('stranger', echoUrl)).toMatch(/ECONNREFUSED/)
      expect(await calls('caller', echoUrl)).toMatch(/^200 /)
      expect([await asUser('games', echoUrl), await asUser('man', echoUrl), await asUser('root', echoUrl)]).toEqual([
        0, 7, 0,
      ])
      const { instances } = (await pair.status()).services.find(({ service }) => service === 'echo') ?? {
        instances: [],
      }
      const port = instances.find(({ machine }) => machine === 'a')?.port
      expect(await calls('caller', `http://127.0.0.1:${port}/`)).toMatch(/ECONNREFUSED/)
      expect(await asUser('root', `http://127.0.0.1:${port}/`)).toBe(0)
      const outside = await pair.lab.client.run(['curl', '-s', '--max-time', '5', `http://${a().address}:${port}/`])
      expect(outside.code).toBe(7)
    })

    it('lets a person in by a forward, who is recorded', async () => {
      const forwarded = await pair.controller.must([
        'sh',
        '-c',
        `tandem forward echo 0:80 --json >/tmp/forward & forward=$!
         until port=$(grep -o '"port":[0-9]*' /tmp/forward | head -1 | cut -d: -f2) && [ "$port" ]; do sleep 0.1; done
         until curl -sf --max-time 5 -o /dev/null "http://127.0.0.1:$port/"; do sleep 0.1; done
         for n in $(seq 20); do curl -s --max-time 5 -o /dev/null -w '%{http_code} ' "http://127.0.0.1:$port/"; done
         kill -INT $forward; wait $forward || true`,
      ])
      expect(forwarded).toBe('200 '.repeat(20))
      const events = async (): Promise<string> =>
        pair.controller.must(['sh', '-c', 'tandem events --json | grep Access'])
      await expect.poll(events).toMatch(/"AccessStarted".*"kind":"forward","service":"echo"[^]*"AccessEnded"/)
    })

    it('names the refused pair, why, and the key that opens the way', async () => {
      const shown = async (): Promise<CallView | undefined> =>
        (await pair.tandem<GuardView>('firewall', 'show')).calls.find(({ from }) => from === 'stranger')
      await expect.poll(shown).toMatchObject({ to: 'echo', may: false, refused: { count: expect.any(Number) } })
      expect(await pair.tandem<WhyView>('firewall', 'why', 'stranger', 'echo')).toMatchObject({
        ...{ may: false, why: '`uses` of stranger does not name echo' },
        next: 'add it to the definition of stranger, and push it:   uses: [echo]',
      })
      expect(await pair.tandem<WhyView>('firewall', 'why', 'caller', 'echo')).toMatchObject({ may: true })
      const events = await pair.controller.must(['sh', '-c', 'tandem events --json | grep ConnectionRefused'])
      expect(events).toContain('"from":"stranger","to":"echo"')
    })

    it('opens the way with a release that uses the other service, and closes it with the next', async () => {
      await pair.roll('stranger', program('stranger', 'uses: [echo]\n'))
      expect(await calls('stranger', echoUrl)).toMatch(/^200 /)
      await pair.roll('stranger', program('stranger'))
      await expect.poll(() => calls('stranger', echoUrl)).toMatch(/ECONNREFUSED/)
    })

    it('is there again after the rules of the machine were loaded, and after a reboot before the first service', async () => {
      const theirs = 'table inet theirs {\n  chain in {\n    type filter hook input priority 0;\n  }\n}\n'
      a().write('/etc/nftables.conf', `#!/usr/sbin/nft -f\nflush ruleset\n${theirs}`, 0o755)
      await a().must(['systemctl', 'enable', '--now', 'nftables'])
      for (const verb of ['reload', 'restart']) {
        await a().must(['systemctl', verb, 'nftables'])
        await expect.poll(() => calls('stranger', echoUrl)).toMatch(/ECONNREFUSED/)
        expect(await calls('caller', echoUrl)).toMatch(/^200 /)
      }
      await a().must(['nft', 'flush', 'ruleset'])
      await expect.poll(() => calls('stranger', echoUrl)).toMatch(/ECONNREFUSED/)
      await pair.controller.must(['systemctl', 'stop', 'tandem-controller'])
      await a().reboot()
      const since = async (unit: string): Promise<number> =>
        Number(await a().must(['systemctl', 'show', '-P', 'ActiveEnterTimestampMonotonic', unit]))
      const units = await a().must(['sh', '-c', 'cd /etc/systemd/system && ls tandem-echo-*.service'])
      expect(await since('tandem-firewall')).toBeLessThan(await since(units.trim().split('\n')[0] ?? ''))
      await expect.poll(() => calls('caller', echoUrl)).toMatch(/^200 /)
      expect(await calls('stranger', echoUrl)).toMatch(/ECONNREFUSED/)
      expect(await a().must(['nft', 'list', 'tables'])).toContain('table inet theirs')
      await pair.controller.must(['systemctl', 'start', 'tandem-controller'])
      await pair.until('ready')
      await a().must(['systemctl', 'disable', '--now', 'nftables'])
    })
  })
}
