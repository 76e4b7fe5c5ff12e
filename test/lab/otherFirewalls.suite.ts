import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { until } from '../../src/lib/testing/until.ts'
import { installPackages } from './debianPackages.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 'rollout: { drain: 1s }\n'
const web = (name: string, more = ''): string =>
  `service: ${name}\nrun: [node, web.mjs]\nroutes: [{ host: ${name}.example.com }]\n${more}${drain}`
const services = {
  echo: `${web('echo')}machines: [b]\n`,
  caller: web('caller', 'uses: [echo]\n'),
  stranger: web('stranger'),
}
/** They take two minutes: `make soak` runs them. */
const { count } = randomRun('other_firewalls', { check: 0, soak: 1 })
/** A port of a program of the machine, which no rule of theirs opens. */
const theirPort = 6_000

/** Firewalls of Debian. Each opens the entry and the port between machines. */
const firewalls = [
  {
    name: 'ufw',
    start: 'ufw allow 80/tcp && ufw allow 7481/tcp && ufw --force enable',
    again: ['ufw reload', 'systemctl restart ufw', 'ufw --force disable && ufw --force enable'],
    stop: 'ufw --force disable',
  },
  {
    name: 'firewalld',
    start:
      'firewall-offline-cmd -q --add-service=http && firewall-offline-cmd -q --add-port=7481/tcp && systemctl start firewalld',
    again: ['firewall-cmd --reload', 'firewall-cmd --complete-reload', 'systemctl restart firewalld'],
    stop: 'systemctl stop firewalld',
  },
]

/** Each with rules of its own, on a machine that Tandem guards. */
export const otherFirewallsSuite = (lend: () => Promise<Pair>): void => {
  describe.skipIf(count === 0)('beside a firewall of Debian', () => {
    let pair: Pair
    const a = (): LabMachine => pair.lab.machine('a')
    const must = (command: string): Promise<string> => a().must(['sh', '-c', command])
    const calls = async (service: string): Promise<string> => {
      const path = `http://127.0.0.1/call?url=${encodeURIComponent('http://echo.tandem.internal/')}`
      return (await a().run(['curl', '-s', '--max-time', '5', '-H', `Host: ${service}.example.com`, path])).out
    }
    /** The exit status of a call from the client; 0: it was answered. */
    const arrives = async (port: number): Promise<number> => {
      const url = `http://${a().address}:${port}/`
      return (await pair.lab.client.run(['curl', '-s', '-o', '/dev/null', '--max-time', '2', url])).code
    }
    /** The same from the machine itself. */
    const callsHere = async (port: number): Promise<number> =>
      (await a().run(['curl', '-s', '-o', '/dev/null', '--max-time', '2', `http://127.0.0.1:${port}/`])).code
    /** Of ours: a call that `uses` names crosses to the other machine, one that it does not name is refused. */
    const expectOurs = async (): Promise<void> => {
      expect(await calls('caller')).toMatch(/^200 echo-\w+-b-1 /)
      expect(await calls('stranger')).toMatch(/ECONNREFUSED/)
      const { instances } = (await pair.status()).services.find(({ service }) => service === 'caller') ?? {
        instances: [],
      }
      const port = instances.find(({ machine }) => machine === 'a')?.port ?? 0
      expect(await arrives(port)).toBeGreaterThan(0)
    }
    /** Of theirs: port 80 is open, and the other port only while their firewall is off. */
    const expectTheirs = async (isOn: boolean): Promise<void> => {
      expect(await arrives(80)).toBe(0)
      expect((await arrives(theirPort)) === 0).toBe(!isOn)
    }
    const expectBoth = async (isOn: boolean): Promise<void> => {
      await expectOurs()
      await expectTheirs(isOn)
    }

    const listen = async (): Promise<void> => {
      const program = `require('http').createServer((q, r) => r.end('theirs')).listen(${theirPort}, '0.0.0.0')`
      await a().must(['systemd-run', '--unit=theirs', 'node', '-e', program])
      await until(async () => expect(await callsHere(theirPort)).toBe(0))
    }

    beforeAll(async () => {
      pair = await lend()
      const why = await installPackages(
        [a()],
        firewalls.map(({ name }) => name),
      )
      if (why !== null) throw new Error(why)
      await pair.applyCluster({ more: 'firewall: { mode: enforce }\n' })
      for (const [name, definition] of Object.entries(services)) await pair.roll(name, definition)
      await listen()
      await until(() => expectBoth(false))
    }, bootMs)
    afterAll(async () => {
      for (const { stop } of firewalls) await a().run(['sh', '-c', stop])
      await a().run(['systemctl', 'stop', 'theirs', 'nftables'])
      for (const service of Object.keys(services).toReversed())
        if ((await pair.status()).services.some((one) => one.service === service)) await pair.remove(service)
      await pair.applyCluster()
      await pair.until('ready')
    })

    it.each(firewalls)('both work while $name is started, reloaded, restarted, booted and stopped', async (theirs) => {
      await must(theirs.start)
      await expectBoth(true)
      for (const command of theirs.again) {
        await must(command)
        await expectBoth(true)
      }
      await pair.roll('stranger', web('stranger', 'uses: [echo]\n'))
      expect(await calls('stranger')).toMatch(/^200 /)
      await expectTheirs(true)
      await pair.roll('stranger', services.stranger)
      await expect.poll(() => calls('stranger')).toMatch(/ECONNREFUSED/)
      await must(`systemctl enable ${theirs.name}`)
      await a().reboot()
      await listen()
      await until(() => expectBoth(true))
      await must(`${theirs.stop} && systemctl disable ${theirs.name}`)
      await expectBoth(false)
    })

    it('firewalld stops nftables.service, which takes our rules away, and they are there again within seconds', async () => {
      await must('systemctl start nftables && systemctl start firewalld')
      await expect.poll(() => calls('stranger')).toMatch(/ECONNREFUSED/)
      await expectBoth(true)
      await must('systemctl stop firewalld')
    })

    it('all rules are flushed, and ours are there again long before the next minute', async () => {
      await must('nft flush ruleset')
      await expect.poll(() => calls('stranger')).toMatch(/ECONNREFUSED/)
      await expectOurs()
    })
  })
}
