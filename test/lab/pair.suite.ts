import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { failuresOf, line, web } from '../system/rollUnderLoad.ts'
import { ClientLoad } from './clientLoad.ts'
import { isOfCluster, tcpPort, type Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 3_000
const refused = /alert|eof|reset/i
const { count: rounds } = randomRun('rounds', { check: 2, soak: 20 })
const perSecond = process.env['TANDEM_SOAK'] === '1' ? 500 : 200

export const pairSuite = (lend: () => Promise<Pair>): void => {
  describe('a pair of real machines', () => {
    let pair: Pair
    let load: ClientLoad | null = null
    let version = 0
    beforeAll(async () => {
      pair = await lend()
      await pushWeb()
      await pushLine()
    }, bootMs)
    afterEach(async () => {
      load?.kill()
      load = null
      await pair.lab.network.heal()
    })

    const pushWeb = (more = '') => pair.roll('web', web({ name: 'web', version: String(++version), drain, more }))
    const pushLine = () => {
      const more = `routes: [{ port: ${tcpPort}, expose: public }]\n`
      return pair.roll('line', line({ name: 'line', version: String(++version), drain, more }), 'line.mjs')
    }
    const beginLoad = (about: Partial<ConstructorParameters<typeof ClientLoad>[1]> = {}): void => {
      load = new ClientLoad(pair.lab, {
        entries: pair.entries,
        perSecond,
        uploadBytes: 20_000_000,
        drainMs: drain,
        tcp: pair.tcpEntries,
        ...about,
      })
    }
    /** Stops the load, and describes its failures. */
    const endLoad = async (): Promise<string[]> => {
      const result = await load?.stop()
      load = null
      if (!result) throw new Error('no load was started')
      const { requests, slow, uploads, lines, latencies, outlasted } = result
      const p99 = latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)]
      console.log({ requests, slow, uploads, lines, long: result.long.length, p99, outlasted: outlasted.length })
      // There was a load, also on a slow computer.
      expect(requests).toBeGreaterThan(50)
      return failuresOf(result)
    }
    const status = (): Promise<Status> => pair.status()
    const answerOf = async (entry: string): Promise<string> =>
      (await pair.lab.client.run(['curl', '-s', '--max-time', '5', entry])).out

    it('rolls out an HTTP and a TCP service repeatedly under load, and loses nothing', async () => {
      beginLoad()
      for (let round = 0; round < rounds; round++) {
        await Promise.all([pushWeb(), pushLine()])
      }
      expect(await endLoad()).toEqual([])
    })

    it('changes routes, reloads HAProxy and restarts agents and controller under load, and loses nothing', async () => {
      beginLoad()
      await pushWeb('routes: [{ path: / }, { host: other.example.com, path: /sub }]\n')
      for (const name of ['a', 'b']) {
        await pair.lab.machine(name).must(['systemctl', 'reload', 'tandem-haproxy'])
        await pair.lab.machine(name).must(['systemctl', 'restart', 'tandem-agent'])
      }
      await pair.controller.must(['systemctl', 'restart', 'tandem-controller'])
      await pair.until('ready')
      await pushWeb()
      expect(await endLoad()).toEqual([])
    })

    it('an agent that is killed adopts its services again: no PID changes; a restarted HAProxy has the same state without the agent', async () => {
      const a = pair.lab.machine('a')
      const services = () => a.must(['pgrep', '-f', 'web.mjs|line.mjs'])
      const agent = async () => (await a.must(['systemctl', 'show', '-P', 'MainPID', 'tandem-agent'])).trim()
      const [before, killed] = [await services(), await agent()]
      expect(before.trim().split('\n')).toHaveLength(2)
      beginLoad({ shortOnly: true, tcp: [] })
      await a.must(['systemctl', 'kill', '-s', 'KILL', 'tandem-agent'])
      await expect.poll(agent).not.toBe(killed)
      const health = ['curl', '-s', 'http://127.0.0.1:7482/healthz']
      await expect.poll(() => a.run(health).then(({ out }) => out)).toContain('"controller":true')
      expect(await services()).toBe(before)
      await converged()
      await pushWeb()
      expect(await endLoad()).toEqual([])
      await a.must(['systemctl', 'restart', 'tandem-haproxy'])
      for (const entry of pair.entries) await expect.poll(() => answerOf(entry)).toBe(`hello ${version}`)
    })

    it('a restarted agent writes the same bytes', async () => {
      const a = pair.lab.machine('a')
      const written =
        'find /etc/systemd/system /var/lib/tandem/haproxy /var/lib/tandem/supervisor -name "*tandem*" -type f -o -path "*haproxy/*" -type f'
      const hashes = () => a.must(['sh', '-c', `(${written}) | sort | xargs sha256sum`])
      const before = await hashes()
      expect(before.split('\n').length).toBeGreaterThan(8)
      await a.must(['systemctl', 'restart', 'tandem-agent'])
      const health = ['curl', '-s', 'http://127.0.0.1:7482/healthz']
      await expect.poll(() => a.run(health).then(({ out }) => out)).toContain('"controller":true')
      await converged()
      expect(await hashes()).toBe(before)
    })

    it('a restarted agent shows the same SINCE and RESTARTS', async () => {
      const a = pair.lab.machine('a')
      const shown = async () => {
        const { services } = await status()
        const web = services.find(({ service }) => service === 'web')
        return web?.instances.find(({ machine }) => machine === 'a')
      }
      const restartAgent = async (): Promise<void> => {
        await a.must(['systemctl', 'restart', 'tandem-agent'])
        await converged()
      }
      const id = (await shown())?.id ?? ''
      const crash = async (times: number): Promise<void> => {
        await a.must(['systemctl', 'kill', '--kill-who=main', '-s', 'KILL', `tandem-${id}`])
        await expect.poll(shown).toMatchObject({ state: 'ready', restarts: times, reason: null })
      }
      await crash(1)
      const before = await shown()
      await restartAgent()
      await expect.poll(shown).toMatchObject({ ...before, work: expect.any(Number) })
      // While no agent runs, systemd restarts the instance.
      await a.must(['systemctl', 'stop', 'tandem-agent'])
      await a.must(['systemctl', 'kill', '--kill-who=main', '-s', 'KILL', `tandem-${id}`])
      const startedAgain = () => a.must(['systemctl', 'show', '-P', 'NRestarts', `tandem-${id}`])
      await expect.poll(startedAgain).toBe('2\n')
      await restartAgent()
      await expect.poll(shown).toMatchObject({ state: 'ready', restarts: 2 })
      expect(Date.parse((await shown())?.since ?? '')).toBeGreaterThan(Date.parse(before?.since ?? ''))
    })

    it('skips a lost machine in a rollout and reports that; the machine converges when it returns', async () => {
      const b = pair.lab.machine('b')
      await b.kill()
      await pair.until('lost', ['b'])
      const pushed = await pushWeb()
      expect(pushed.rollout?.machines).toContainEqual(expect.objectContaining({ machine: 'b', state: 'lost' }))
      expect(pushed.err).toContain('lost')
      expect(await answerOf(pair.entries[0] ?? '')).toBe(`hello ${version}`)
      await b.boot()
      await pair.until('ready', ['b'])
      await converged()
    })

    it.each([
      ['the controller', ['controller'], 'both'],
      ['its peer', ['a'], 'both'],
      ['both', ['controller', 'a'], 'both'],
      ['the controller, its packets lost', ['controller'], 'out'],
      ['its peer, its packets lost', ['a'], 'out'],
      ['its peer, hearing nothing', ['a'], 'in'],
    ] as const)(
      'a machine cut from %s serves its own instances, and converges when healed',
      async (_name, others, way) => {
        const { network } = pair.lab
        for (const other of others) {
          if (way !== 'in') await network.cutOneWay('b', other)
          if (way !== 'out') await network.cutOneWay(other, 'b')
        }
        const isAlone = (others as readonly string[]).includes('controller')
        if (isAlone) await pair.until('lost', ['b'])
        for (const entry of pair.entries) expect(await answerOf(entry)).toBe(`hello ${version}`)
        await pushWeb()
        expect(await answerOf(pair.entries[0] ?? '')).toBe(`hello ${version}`)
        expect(await answerOf(pair.entries[1] ?? '')).toBe(`hello ${isAlone ? version - 1 : version}`)
        await network.heal()
        await pair.until('ready')
        await converged()
        expect(await answerOf(pair.entries[1] ?? '')).toBe(`hello ${version}`)
      },
    )

    it('a service that uses too much memory or forks without end is killed at its limit and restarts, and its neighbour is not affected', async () => {
      const program = (name: string, run: string, limits: string): string =>
        `service: ${name}\nlisten: none\nlimits: { ${limits} }\nrun: [node, -e, ${JSON.stringify(run)}]\n`
      const p99 = async (): Promise<number> => {
        const quick = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 200, shortOnly: true })
        await new Promise((resolve) => setTimeout(resolve, 8_000)) // duration of the measurement
        const result = await quick.stop()
        expect(failuresOf(result)).toEqual([])
        return result.latencies.toSorted((x, y) => x - y)[Math.floor(result.latencies.length * 0.99)] ?? 0
      }
      const calm = await p99()
      const eats = 'setTimeout(() => { const kept = []; setInterval(() => kept.push(Buffer.alloc(4e6, 1)), 50) }, 2000)'
      const forks =
        "const { spawn } = require('child_process'); setInterval(() => spawn('sleep', ['1000']).on('error', () => {}), 20)"
      await pair.push('eats', program('eats', eats, 'memory: 96M, cpu: 0.5'))
      await pair.push('forks', program('forks', forks, 'tasks: 40, cpu: 0.5'))
      await expect
        .poll(async () => (await status()).services.find(({ service }) => service === 'eats')?.instances[0]?.restarts)
        .toBeGreaterThan(0)
      const pids = async (): Promise<number> =>
        Number((await pair.lab.machine('a').must(['pgrep', '-c', 'sleep'])).trim())
      await expect.poll(pids).toBeGreaterThan(10)
      const beside = await p99()
      expect(await pids()).toBeLessThan(40)
      console.log({ calm, beside, ratio: beside / calm })
      for (const name of ['eats', 'forks']) expect((await pair.tandem('remove', name, '--data')).exit).toBe(0)
      for (const root of ['/var/lib/tandem-data', '/var/lib/private/tandem-data']) {
        await expect
          .poll(() =>
            pair.lab
              .machine('a')
              .run(['ls', root])
              .then(({ out }) => out),
          )
          .not.toContain('eats')
      }
      expect(await pair.lab.machine('a').must(['ls', '/var/lib/private/tandem-data'])).toContain('web')
    })

    it('serves https while certificate files are added, changed and broken, and http all the time', async () => {
      const certificate = async (): Promise<string> => {
        const [key, crt] = [`${pair.lab.folder}/https.key`, `${pair.lab.folder}/https.crt`]
        await pair.lab.client.must([
          ...[
            'openssl',
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-days',
            '1',
          ],
          ...['-subj', '/CN=shop.example', '-keyout', key, '-out', crt],
        ])
        return readFileSync(crt, 'utf8') + readFileSync(key, 'utf8')
      }
      const a = pair.lab.machine('a')
      const secure = async (): Promise<string> =>
        (
          await pair.lab.client.run([
            'curl',
            '-sk',
            '-w',
            ' %{http_version}',
            '--max-time',
            '2',
            `https://${a.address}/`,
          ])
        ).out
      const problems = async (): Promise<string> =>
        (await status()).machines
          .flatMap(({ name, problems: said }) => (name === 'a' ? said.filter(isOfCluster) : []))
          .join()
      beginLoad({ shortOnly: true, tcp: [] })
      await pair.applyCluster({ entry: 'http: 80, https: 443, certificates: certs/' })
      await expect.poll(problems).toContain('no https at port 443')
      a.write('/etc/tandem/certificates/shop.pem', await certificate(), 0o600)
      await expect.poll(secure).toMatch(/^hello \d+ 2$/)
      await expect.poll(problems).toBe('')
      a.write('/etc/tandem/certificates/shop.pem', 'nonsense', 0o600)
      await expect.poll(problems).toContain('shop.pem')
      a.write('/etc/tandem/certificates/shop.pem', await certificate(), 0o600)
      await expect.poll(secure).toMatch(/^hello \d+ 2$/)
      expect(await endLoad()).toEqual([])
      await pair.applyCluster()
      await expect.poll(problems).toBe('')
    })

    it('no port accepts a peer without a certificate, with a foreign one, or with that of a removed machine', async () => {
      const [a, b] = [pair.lab.machine('a'), pair.lab.machine('b')]
      const shown = async (port: string, machine: string, with_: string[]): Promise<string> => {
        const { out, err } = await pair.lab.client.run(
          ['openssl', 's_client', '-connect', `${machine}:${port}`, '-alpn', 'tandem/http/web', '-quiet', ...with_],
          { timeoutMs: 20_000 },
        )
        return out + err
      }
      const outside = async (): Promise<string[]> => {
        const open = (await a.must(['ss', '-Hltn'])).split('\n')
        const ports = open.flatMap((row) => /(?:\*|0\.0\.0\.0|\[::\]|10\.77\.\d+\.\d+):(\d+) /.exec(row)?.[1] ?? [])
        return [...new Set(ports)].toSorted()
      }
      // A reload will soon close the connections of an earlier test.
      await expect.poll(outside).toEqual([String(tcpPort), '7481', '80'].toSorted())
      expect(await shown('7481', a.address, [])).toMatch(refused)
      await pair.lab.client.must([
        ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
        ...['-subj', '/O=lab/OU=machine/CN=b', '-keyout', `${pair.lab.folder}/k`, '-out', `${pair.lab.folder}/c`],
      ])
      const foreign = ['-cert', `${pair.lab.folder}/c`, '-key', `${pair.lab.folder}/k`]
      expect(await shown('7481', a.address, foreign)).toMatch(refused)
      expect(await shown('7480', pair.controller.address, foreign)).toMatch(refused)
      await pair.applyCluster({ machines: ['a'] })
      const own = [
        '--cert',
        '/var/lib/tandem/identity/identity.pem',
        '--cacert',
        '/var/lib/tandem/identity/authority.pem',
      ]
      const ask = (url: string) => b.run(['curl', '-s', '--max-time', '5', ...own, url])
      expect((await ask(`https://${pair.controller.address}:7480/api/v1/agent/stream`)).code).not.toBe(0)
      await expect.poll(() => ask(`https://${a.address}:7481/`).then(({ code }) => code)).not.toBe(0)
    })

    /** Checks that each machine runs one ready instance of each service, of the current release. */
    async function converged(): Promise<void> {
      await expect
        .poll(async () => {
          const { services } = await status()
          return services.flatMap(({ service, release, instances }) =>
            instances.map((one) => `${service} ${one.machine} ${one.state} ${one.release === release}`),
          )
        })
        .toEqual(['line a ready true', 'line b ready true', 'web a ready true', 'web b ready true'])
    }
  })
}
