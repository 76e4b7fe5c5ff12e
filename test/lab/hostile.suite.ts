import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { copyExample, exampleFolder, examples } from './copiedExample.ts'
import { hostileReport } from './hostileReport.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 'rollout: { drain: 1s }\n'
const route = (name: string): string => `routes: [{ host: ${name}.example.com }]\n${drain}`
const services = {
  victim: `service: victim\nrun: [node, victim.mjs]\n${route('victim')}`,
  echo: `service: echo\nrun: [node, web.mjs]\nuses: [victim]\n${route('echo')}`,
  used: `service: used\nrun: [node, line.mjs]\nlisten: tcp\nroutes: [{ port: 7071 }]\n${drain}`,
  other: `service: other\nrun: [node, line.mjs]\nlisten: tcp\nroutes: [{ port: 7070 }]\n${drain}`,
  hostile: `service: hostile\nrun: [node, hostile.mjs]\nuses: [echo, used]\n${route('hostile')}`,
}
/** With those above: ten. */
const more = {
  mail: `service: mail\nrun: [node, line.mjs]\nlisten: tcp\nroutes: [{ port: 2525, expose: public }]\n${drain}`,
  broker: `service: broker\nrun: [node, line.mjs]\nlisten: tcp\nroutes: [{ port: 5672, expose: public }]\n${drain}`,
  worker: `service: worker\nrun: [sleep, "100000"]\nlisten: none\n${drain}`,
  site: `service: site\nrun: [node, web.mjs]\n${route('site')}`,
}
const all = [...Object.keys(services), ...Object.keys(more)]
const secrets = '/etc/tandem/env/victim.env'
const metadata = '169.254.169.254'
const outside6 = { a: 'fd77::11', client: 'fd77::64' }
/** It takes a minute: `make soak` runs it. */
const observed = randomRun('hostile_observe', { check: 0, soak: 1 })
const scanProgram = join(examples, 'hostile/scan.mjs')

/** A name, the kind of the attempt (test/services/hostile.mjs), and its words. */
type Attempt = readonly [name: string, kind: string, ...words: (string | number)[]]

/** A service that tries to reach all that is not its own, on machines that refuse it. */
export const hostileSuite = (lend: () => Promise<Pair>): void => {
  describe('a hostile service', () => {
    let pair: Pair
    const on = (name: string): LabMachine => pair.lab.machine(name)
    const tries = async (...attempts: Attempt[]): Promise<Record<string, unknown>> => {
      const asked = attempts.map((words) => words.map(String))
      const call = ['--max-time', '100', '-H', 'Host: hostile.example.com', '-d', JSON.stringify(asked)]
      return JSON.parse(await on('a').must(['curl', '-sS', ...call, 'http://127.0.0.1/'])) as Record<string, unknown>
    }
    const instance = async (service: string, machine: string): Promise<{ id: string; port: number }> => {
      const all = (await pair.status()).services.find((one) => one.service === service)?.instances ?? []
      const { id = '', port } = all.find((one) => one.machine === machine) ?? {}
      if (port === undefined || port === null) throw new Error(`${service} has no port on ${machine}`)
      return { id, port }
    }
    const portOf = async (service: string, machine = 'a'): Promise<number> => (await instance(service, machine)).port
    const unitOf = async (service: string): Promise<string> => `tandem-${(await instance(service, 'a')).id}.service`
    const addressOf = async (service: string): Promise<string> =>
      (await on('a').must(['getent', 'hosts', `${service}.tandem.internal`])).split(' ')[0] ?? ''
    const pidOf = async (unit: string): Promise<string> =>
      (await on('a').must(['systemctl', 'show', '-P', 'MainPID', unit])).trim()
    /** The exit status of a call by root: 28 is a timeout. */
    const rootCalls = async (url: string): Promise<number> =>
      (await on('a').run(['curl', '-s', '-o', '/dev/null', '--max-time', '3', url])).code

    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster({ more: 'firewall: { mode: enforce }\n' })
      for (const name of ['a', 'b']) on(name).write(secrets, 'TOKEN=secret\n', 0o600)
      await pair.roll('victim', services.victim, 'victim.mjs')
      await pair.roll('echo', services.echo)
      for (const name of ['used', 'other'] as const) await pair.roll(name, services[name], 'line.mjs')
      await pair.roll('hostile', services.hostile, 'hostile.mjs', 'scan.mjs')
      await pair.until('ready')
    }, bootMs)
    afterAll(async () => {
      await on('a').run(['systemctl', 'stop', 'metadata'])
      await on('a').run(['ip', 'address', 'delete', `${metadata}/32`, 'dev', 'lo'])
      await on('a').run(['ip', 'address', 'delete', `${outside6.a}/64`, 'dev', 'eth0'])
      await pair.lab.client.run(['ip', 'address', 'delete', `${outside6.client}/64`, 'dev', 'eth0'])
      for (const service of all.toReversed())
        if ((await pair.status()).services.some((one) => one.service === service)) await pair.remove(service)
      await pair.applyCluster()
      await pair.until('ready')
    })

    it('reaches the services that it uses, itself and the public entry, and no other port', async () => {
      const [victim, echo, peerVictim] = [await portOf('victim'), await portOf('echo'), await portOf('victim', 'b')]
      const [victimAddress, echoAddress] = [await addressOf('victim'), await addressOf('echo')]
      const [own, peer, controller] = [on('a').address, on('b').address, pair.controller.address]
      const token = (port: number, path: string, ...more: string[]) => ['tls', controller, port, path, ...more] as const
      expect(
        await tries(
          ['what it uses', 'connect', echoAddress, 80],
          ['the same from the outside address', 'connect', echoAddress, 80, own],
          ['itself', 'connect', '127.0.0.1', await portOf('hostile')],
          ['the entry', 'connect', '127.0.0.1', 80],
          ['the entry of the peer', 'connect', peer, 80],
          ['what it does not use', 'connect', victimAddress, 80],
          ['that from the outside address', 'connect', victimAddress, 80, own],
          ['an instance that it does not use', 'connect', '127.0.0.1', victim],
          ['that at ::1', 'connect', '::1', victim],
          ['that at the outside address', 'connect', own, victim],
          ['that from the outside address', 'connect', '127.0.0.1', victim, own],
          ['an instance past HAProxy', 'connect', '127.0.0.1', echo],
          ['an instance of the peer', 'connect', peer, peerVictim],
          ['the agent of the peer', 'connect', peer, 7482],
          ['the forwarding port', 'tls', own, 7481, '/', 'victim'],
          ['the forwarding port of the peer', 'tls', peer, 7481, '/', 'victim'],
          ['the controller', ...token(7480, '/api/v1/status')],
          ['the numbers of the controller', ...token(7480, '/metrics')],
        ),
      ).toEqual({
        'what it uses': 'connected',
        'the same from the outside address': 'connected',
        itself: 'connected',
        'the entry': 'connected',
        'the entry of the peer': 'connected',
        'what it does not use': 'ECONNREFUSED',
        'that from the outside address': 'ECONNREFUSED',
        'an instance that it does not use': 'ECONNREFUSED',
        'that at ::1': 'ECONNREFUSED',
        'that at the outside address': 'ECONNREFUSED',
        'an instance past HAProxy': 'ECONNREFUSED',
        'an instance of the peer': 'ECONNREFUSED',
        'the agent of the peer': 'ECONNREFUSED',
        'the forwarding port': 'ECONNRESET',
        'the forwarding port of the peer': 'ECONNRESET',
        'the controller': 'status 401',
        'the numbers of the controller': 'status 401',
      })
    })

    describe('as examples/hostile', () => {
      const address: Record<string, string> = {}
      const own = (): string => on('a').address
      const peer = (): string => on('b').address

      beforeAll(async () => {
        const uses = { file: 'tandem.yaml', from: '# uses: [redis]', to: 'uses: [echo, used]' }
        copyExample(pair.controller, 'hostile', uses)
        const pushed = await pair.tandem<Pushed>('push', exampleFolder('hostile'))
        expect(pushed, pushed.err).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
        for (const service of Object.keys(services)) address[service] = await addressOf(service)
      }, bootMs)
      afterAll(async () => {
        await pair.roll('hostile', services.hostile, 'hostile.mjs', 'scan.mjs')
      })

      it('reports what it uses, itself, the public entry, what docs/machines.md lists, and nothing else', async () => {
        const report = await hostileReport(on('a'))
        expect(report.expected).toEqual(
          [
            `127.0.0.1:${await portOf('hostile')} itself`,
            `${address['hostile']}:7666 itself`,
            `${address['echo']}:80 in its uses: ECHO_HOST, ECHO_PORT`,
            `${address['used']}:7071 in its uses: USED_HOST, USED_PORT`,
            ...['127.0.0.1', own(), peer()].map((host) => `${host}:80 the public entry`),
          ].toSorted(),
        )
        const anywhere = ['127.0.0.1', own(), peer(), ...Object.values(address)]
        const ofAll = ['/run/dbus/system_bus_socket', '/run/systemd/journal/stdout']
        const ofSystemd = ['/run/systemd/io.system.ManagedOOM', '/run/systemd/userdb/io.systemd.DynamicUser']
        expect(report.documented).toEqual(
          [
            "127.0.0.1:7482 the agent's numbers",
            `${pair.controller.address}:7480 the controller, which wants a token`,
            ...anywhere.map((host) => `${host}:7481 the way between machines, which wants a certificate`),
            ...[...ofAll, ...ofSystemd].map((path) => `${path} open to every program of the machine`),
            '@victim an abstract socket',
            'systemctl show the state of units',
            '/etc/systemd/system/tandem-agent.service units hold no values of the environment',
            '/proc/net/tcp addresses and ports of connections',
            '/sys/fs/cgroup names of control groups',
          ].toSorted(),
        )
        expect(report.UNEXPECTED).toEqual([])
        const refused = (host: string | undefined, ports: number): string => `${host}, ${ports} ports ECONNREFUSED`
        for (const line of [
          ...[refused('127.0.0.1', 65_531), refused('::1', 65_535), refused(address['victim'], 65_534)],
          ...[own(), peer()].map((host) => refused(host, 65_533)),
        ])
          expect(report.refused).toContain(line)
      })

      it.skipIf(observed.count === 0)('reports what the mode observe leaves open', async () => {
        await pair.applyCluster({ more: 'firewall: { mode: observe }\n' })
        const rules = (name: string) => (): Promise<string> => on(name).must(['nft', 'list', 'table', 'inet', 'tandem'])
        for (const name of ['a', 'b']) await expect.poll(rules(name)).not.toMatch(/instance_ports.* reject/)
        const victim = await portOf('victim')
        const ofVictim = ['[::1]', own(), ...Object.values(address)].map((host) => `${host}:${victim}`)
        const ports = await Promise.all((['echo', 'victim', 'used', 'other'] as const).map((name) => portOf(name)))
        const places = [
          ...ports.map((port) => `127.0.0.1:${port}`),
          ...ofVictim,
          `${peer()}:${await portOf('victim', 'b')}`,
        ]
        expect((await hostileReport(on('a'))).UNEXPECTED).toEqual(
          [
            ...places.map((place) => `${place} an instance of another service`),
            `${address['victim']}:80 the service victim`,
            `${address['other']}:7070 the service other`,
          ].toSorted(),
        )
        await pair.applyCluster({ more: 'firewall: { mode: enforce }\n' })
        for (const name of ['a', 'b']) await expect.poll(rules(name)).toMatch(/instance_ports.* reject/)
      })
    })

    it('reaches the metadata address of its machine only if its definition names it', async () => {
      const listen = `require('http').createServer((q, r) => r.end('credentials')).listen(80, '${metadata}')`
      await on('a').must(['ip', 'address', 'add', `${metadata}/32`, 'dev', 'lo'])
      await on('a').must(['systemd-run', '--unit=metadata', 'node', '-e', listen])
      await expect.poll(() => rootCalls(`http://${metadata}/`)).toBe(0)
      const attempt = (): Promise<unknown> => tries(['metadata', 'connect', metadata, 80])
      expect(await attempt()).toEqual({ metadata: 'ECONNREFUSED' })
      const uses = `uses: [echo, used, { address: "${metadata}:80" }]\n`
      await pair.roll('hostile', services.hostile.replace('uses: [echo, used]\n', uses), 'hostile.mjs', 'scan.mjs')
      expect(await attempt()).toEqual({ metadata: 'connected' })
      await pair.roll('hostile', services.hostile, 'hostile.mjs', 'scan.mjs')
      await expect.poll(attempt).toEqual({ metadata: 'ECONNREFUSED' })
    })

    it('reaches no socket, file, memory, process or journal of others', async () => {
      const { services: known } = await pair.status()
      const release = known.find(({ service }) => service === 'victim')?.release ?? ''
      const [victim, agent] = [await pidOf(await unitOf('victim')), await pidOf('tandem-agent')]
      const sockets = (await on('a').must(['sh', '-c', 'ls /run/tandem-haproxy/*.sock'])).trim().split('\n')
      expect(sockets.length).toBeGreaterThan(2)
      expect(release).toHaveLength(64)
      const haproxy = await tries(...sockets.map((path) => [path, 'unix', path] as const))
      expect(haproxy).toEqual(Object.fromEntries(sockets.map((path) => [path, 'EACCES'])))
      expect(
        await tries(
          ['the privileged helper', 'unix', '/run/tandem/privileged.sock'],
          ["the agent's own socket", 'unix', '/var/lib/tandem/self/agent.sock'],
          ['the manager of services', 'unix', '/run/systemd/private'],
          ['stops a unit', 'run', 'systemctl', 'stop', await unitOf('victim')],
          ['starts a unit', 'run', 'systemd-run', 'true'],
          ['data', 'read', '/var/lib/private/tandem-data/victim/secret'],
          ['data by its link', 'read', '/var/lib/tandem-data/victim/secret'],
          ['secrets', 'read', secrets],
          ['environment', 'list', '/var/lib/tandem/privileged/environment'],
          ['release', 'list', `/var/lib/tandem/cache/releases/${release}`],
          ['key of the machine', 'read', '/var/lib/tandem/haproxy/machine.pem'],
          ['passwords', 'read', '/etc/shadow'],
          ['/tmp', 'read', '/tmp/secret'],
          ['/dev/shm', 'read', '/dev/shm/secret'],
          ['System V memory', 'run', 'perl', '-e', 'print "found" if defined shmget(4242, 64, 0)'],
          ['processes', 'processes'],
          ['environment of a process', 'read', `/proc/${victim}/environ`],
          ['memory of a process', 'read', `/proc/${victim}/mem`],
          ['kills a service', 'kill', victim],
          ['kills the agent', 'kill', agent],
          ['journal', 'run', 'journalctl', '-q', '-n', '1'],
        ),
      ).toEqual({
        'the privileged helper': 'EACCES',
        "the agent's own socket": 'ENOENT',
        'the manager of services': 'EACCES',
        'stops a unit': 'nothing',
        'starts a unit': 'nothing',
        data: 'ENOENT',
        'data by its link': 'ENOENT',
        secrets: 'EACCES',
        environment: 'ENOENT',
        release: 'ENOENT',
        'key of the machine': 'ENOENT',
        passwords: 'EACCES',
        '/tmp': 'ENOENT',
        '/dev/shm': 'ENOENT',
        'System V memory': 'nothing',
        processes: 'none',
        'environment of a process': 'ENOENT',
        'memory of a process': 'ENOENT',
        'kills a service': 'EPERM',
        'kills the agent': 'EPERM',
        journal: 'nothing',
      })
      expect(await pidOf(await unitOf('victim'))).toBe(victim)
    })

    it('answers nobody in the place of another service', async () => {
      const port = await portOf('echo')
      const address = await addressOf('echo')
      expect(
        await tries(
          ['on the port', 'listen', '127.0.0.1', port],
          ['beside the listener', 'listen', '127.0.0.1', port, 'shared'],
          ['at the name', 'listen', address, 80],
          ['beside HAProxy', 'listen', address, 7481, 'shared'],
          ['on the port at another address', 'listen', '127.0.0.9', port],
        ),
      ).toEqual({
        'on the port': 'EADDRINUSE',
        'beside the listener': 'EADDRINUSE',
        'at the name': 'EACCES',
        'beside HAProxy': 'EADDRINUSE',
        'on the port at another address': 'listening',
      })
      expect(await rootCalls(`http://127.0.0.9:${port}/`)).toBe(28)
      await on('a').must(['systemctl', 'stop', await unitOf('echo')])
      expect(await tries(['on the free port', 'listen', '127.0.0.1', port])).toEqual({
        'on the free port': 'listening',
      })
      expect(await rootCalls(`http://127.0.0.1:${port}/`)).toBe(28)
      await tries(['ends', 'silence'])
      await on('a').must(['systemctl', 'start', await unitOf('echo')])
      await pair.until('ready')
    })

    it('keeps no connection that it may not open, and other computers reach no instance', async () => {
      const [victim, used, other] = [await portOf('victim'), await addressOf('used'), await addressOf('other')]
      await on('a').must(['ip', 'address', 'add', `${outside6.a}/64`, 'dev', 'eth0', 'nodad'])
      await pair.lab.client.must(['ip', 'address', 'add', `${outside6.client}/64`, 'dev', 'eth0', 'nodad'])
      /** The exit status: 7 is a refused connection. */
      const arrives = (host: string): Promise<number> =>
        pair.lab.client
          .run(['curl', '-gs', '-o', '/dev/null', '--max-time', '5', `http://${host}:${victim}/`])
          .then(({ code }) => code)
      const arrivals = async (): Promise<number[]> => [await arrives(on('a').address), await arrives(`[${outside6.a}]`)]
      await pair.applyCluster({ more: 'firewall: { mode: observe }\n' })
      await expect.poll(arrivals).toEqual([0, 0])
      expect(
        await tries(
          ['used', 'hold', used, 7071],
          ['other', 'hold', other, 7070],
          ['instance', 'hold', '127.0.0.1', victim],
          ['instance at ::1', 'hold', '::1', victim],
          ['state', 'held'],
        ),
      ).toMatchObject({ other: 'connected', 'instance at ::1': 'connected', state: Array(4).fill('open') })
      await pair.applyCluster({ more: 'firewall: { mode: enforce }\n' })
      await expect.poll(() => tries(['state', 'held'])).toEqual({ state: ['open', 'ended', 'ended', 'ended'] })
      expect(await arrivals()).toEqual([7, 7])
      const numbers = (): Promise<unknown> => tries(['numbers', 'connect', '127.0.0.1', 7482])
      await expect.poll(numbers).toEqual({ numbers: 'connected' })
    })

    // docs/machines.md gives the reason for each, and the way to close it.
    it('reaches these all the same', async () => {
      const unit = await unitOf('victim')
      const victim = await portOf('victim')
      expect(
        await tries(
          ['numbers of the agent', 'connect', '127.0.0.1', 7482],
          ['an abstract socket', 'unix', '@victim'],
          ['UDP', 'udp', '127.0.0.1', victim],
          ['unit of a service', 'read', `/etc/systemd/system/${unit}`],
          ['state of a unit', 'run', 'systemctl', 'show', '-P', 'ActiveState', unit],
          ['connections of the machine', 'read', '/proc/net/tcp'],
          ['names of control groups', 'list', '/sys/fs/cgroup'],
          ['a port of its own', 'listen', '0.0.0.0', 5_999],
        ),
      ).toEqual({
        'numbers of the agent': 'connected',
        'an abstract socket': 'connected',
        UDP: 'answered',
        'unit of a service': 'read',
        'state of a unit': 'active',
        'connections of the machine': 'read',
        'names of control groups': 'listed',
        'a port of its own': 'listening',
      })
      const outside = await pair.lab.client.must(['curl', '-s', '--max-time', '5', `http://${on('a').address}:5999/`])
      expect(outside).toContain('hostile')
      await tries(['ends', 'silence'])
    })

    // docs/machines.md lists Tandem's own ports: 7480 of the controller, 7481 of the machines.
    it('and nine others open no port to the world but the entry and those that say `public`', async () => {
      await Promise.all(
        Object.entries(more).map(([name, definition]) =>
          pair.roll(name, definition, definition.includes('line.mjs') ? 'line.mjs' : 'web.mjs'),
        ),
      )
      expect((await pair.status()).services.map(({ service }) => service)).toEqual(all.toSorted())
      const scans = { a: [80, 2525, 5672, 7481], b: [80, 2525, 5672, 7481], controller: [7480] }
      for (const [name, open] of Object.entries(scans)) {
        const scan = [process.execPath, scanProgram, on(name).address]
        const found = JSON.parse(await pair.lab.client.must(scan, { timeoutMs: bootMs })) as unknown
        expect(found, name).toEqual({ open, others: { ECONNREFUSED: 65_535 - open.length } })
      }
    })
  })
}
