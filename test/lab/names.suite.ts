import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Named } from '../../src/api/names.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 'rollout: { drain: 1s }'
const echo = `service: echo\nrun: [node, web.mjs]\nroutes: [{ host: echo.example.com }]\n${drain}\n`
const lines = (port: number, version = 'v1'): string =>
  `service: lines\nrun: [node, line.mjs]\nlisten: tcp\nroutes: [{ port: ${port} }]\nenv: { VERSION: ${version} }\n${drain}\n`
const caller = `service: caller
run: [node, web.mjs]
uses: [echo, { service: lines, as: tail }, { service: later, optional: true }]
env: { DSN: "tail://\${TAIL_HOST}:\${TAIL_PORT}" }
routes: [{ host: caller.example.com }]
${drain}
`
/** Resolves the name once, then calls it all the time on new connections; prints each failure, and the sum at its end. */
const callForEver = `
const { lookup } = require('node:dns')
const { get } = require('node:http')
let [calls, isOver] = [0, false]
lookup(process.argv[1], (error, host) => {
  if (error) throw error
  const call = () => {
    if (isOver) return
    const startedAt = Date.now()
    calls += 1
    const failed = (why) => { console.log(JSON.stringify({ startedAt, why })); setTimeout(call, 1) }
    get({ host, agent: false }, (answer) => {
      answer.on('error', (error) => failed(error.code)).on('end', () => {
        if (answer.statusCode === 200) setTimeout(call, 1)
        else failed(String(answer.statusCode))
      }).resume()
    }).on('error', (error) => failed(error.code))
  }
  for (let at = 0; at < 4; at++) call()
})
process.on('SIGTERM', () => { isOver = true; console.log(JSON.stringify({ calls })); process.exit(0) })
`
/** Prints the servers of a backend of HAProxy that take requests. */
const serversUp = `
const socket = require('node:net').connect('/run/tandem-haproxy/guard.sock')
let text = ''
socket.on('data', (data) => (text += data)).on('end', () => {
  const rows = text.split('\\n').map((line) => line.split(','))
  const status = rows[0].indexOf('status')
  console.log(rows.filter((row) => row[0] === process.argv[1] && /^(UP|no check)/.test(row[status]) && row[1] !== 'new:worker').map((row) => row[1]).join('\\n'))
})
socket.end('show stat -1 4 -1\\n')
`
const hostsPath = '/etc/hosts'
const echoName = 'echo.tandem.internal'

/** Services call each other by variables and names, through the HAProxy of their own machine. */
export const namesSuite = (lend: () => Promise<Pair>): void => {
  describe('services that use each other', () => {
    let pair: Pair
    let addressOfEcho = ''
    const machine = (name: string): LabMachine => pair.lab.machine(name)
    /** The answer of the caller on this machine. */
    const call = async (on: string, path: string): Promise<string> => {
      const url = `http://127.0.0.1${path}`
      const { out } = await machine(on).run(['curl', '-s', '--max-time', '5', '-H', 'Host: caller.example.com', url])
      return out
    }
    const callEcho = (on: string, host = echoName): Promise<string> =>
      call(on, `/call?url=${encodeURIComponent(`http://${host}/`)}`)
    const resolved = (name: string): Promise<Named> => pair.tandem<Named>('resolve', name)

    beforeAll(async () => {
      pair = await lend()
      await pair.roll('echo', echo)
      await pair.roll('lines', lines(7_070), 'line.mjs')
      await pair.roll('caller', caller)
    }, bootMs)
    afterAll(async () => {
      for (const service of ['caller', 'lines', 'echo'])
        if ((await pair.status()).services.some((one) => one.service === service)) await pair.remove(service)
    })

    it('get variables, and the names stand in the hosts file of both machines', async () => {
      const env = JSON.parse(await call('a', '/env')) as Record<string, string>
      addressOfEcho = env['ECHO_HOST'] ?? ''
      expect(env).toMatchObject({
        ECHO_HOST: expect.stringMatching(/^127\.77\./),
        ECHO_PORT: '80',
        ECHO_URL: `http://${addressOfEcho}`,
        TAIL_PORT: '7070',
        DSN: `tail://${env['TAIL_HOST']}:7070`,
      })
      expect(Object.keys(env).filter((name) => name.startsWith('LATER'))).toEqual([])
      for (const name of ['a', 'b']) {
        expect(await machine(name).must(['getent', 'hosts', echoName])).toMatch(new RegExp(`^${addressOfEcho} `))
      }
    })

    it('reach an instance of their own machine first, then one of the other, then get the name of the service', async () => {
      expect(await callEcho('a')).toMatch(/^200 echo-\w+-a-1 hello/)
      expect(await callEcho('b', addressOfEcho)).toMatch(/^200 echo-\w+-b-1 hello/)
      expect(await call('a', `/line?host=lines.tandem.internal&port=7070`)).toBe('v1 hello')
      await pair.roll('echo', `${echo}machines: [b]\n`)
      expect(await callEcho('a')).toMatch(/^200 echo-\w+-b-1 hello/)
      const { from } = await resolved(echoName)
      expect(from.map(({ machine: on, why }) => `${on} ${why}`)).toEqual([
        'a no ready instance on a: forwarded',
        'b ready on the same machine',
      ])
      expect((await pair.tandem('stop', 'echo')).exit).toBe(0)
      expect(await callEcho('a')).toMatch(/^503 - .*echo/)
      expect((await pair.tandem('start', 'echo')).exit).toBe(0)
      expect((await pair.tandem('stop', 'lines')).exit).toBe(0)
      expect(await call('a', `/line?host=lines.tandem.internal&port=7070`)).toMatch(/^closed|^failed ECONN/)
      expect((await pair.tandem('start', 'lines')).exit).toBe(0)
      await pair.roll('echo', echo)
    })

    it('never reach another service at the address of one that is not there', async () => {
      const { code, err } = await machine('a').run(['curl', '-sS', '--max-time', '5', 'http://127.77.200.200/'])
      expect(code).toBeGreaterThan(0)
      expect(err).toMatch(/reset|Empty reply|refused|connect to server/)
    })

    it('keep their names when somebody rewrites the hosts file, and nobody else loses a line', async () => {
      await machine('a').must([
        'sh',
        '-c',
        `grep -v tandem ${hostsPath} > /tmp/hosts; echo 10.9.9.9 printer >> /tmp/hosts; cp /tmp/hosts ${hostsPath}`,
      ])
      await expect.poll(() => machine('a').must(['cat', hostsPath])).toContain(`${addressOfEcho} ${echoName}\n`)
      expect(await machine('a').must(['cat', hostsPath])).toContain('10.9.9.9 printer\n')
      expect(await callEcho('a')).toMatch(/^200 /)
    })

    it('a port that another program holds reverts the rollout that wants it, and HAProxy starts without it', async () => {
      const squat = async (port: number): Promise<void> => {
        const listen = `require('net').createServer().listen(${port}, '0.0.0.0')`
        await machine('a').must(['systemd-run', '--unit=squatter', 'node', '-e', listen])
        await expect.poll(() => machine('a').must(['ss', '-Hltn', 'sport', '=', `:${port}`])).toContain(`:${port}`)
      }
      const line = (): Promise<string> => call('a', '/line?host=lines.tandem.internal&port=7070')
      await squat(7_071)
      const two = lines(7_070, 'v2').replace('{ port: 7070 }', '{ port: 7070 }, { port: 7071 }')
      const pushed = await pair.push('lines', two, 'line.mjs')
      expect(pushed.rollout?.reason).toMatch(/machine a cannot listen on 127\.77\.\d+\.\d+:7071/)
      expect(pushed.rollout?.machines.map((one) => one.state)).toEqual(['reverted', 'untouched'])
      expect(await line()).toBe('v1 hello')
      await machine('a').must(['systemctl', 'stop', 'squatter'])

      // A program that takes the port while HAProxy is off, as after a restart of the machine.
      await machine('a').must(['systemctl', 'stop', 'tandem-haproxy'])
      await squat(7_070)
      await machine('a').run(['systemctl', 'start', 'tandem-haproxy'])
      await expect.poll(() => callEcho('a')).toMatch(/^200 /)
      const why = async (): Promise<string | undefined> =>
        (await resolved('lines')).from.find(({ machine: on }) => on === 'a')?.why
      await expect.poll(why).toMatch(/cannot listen on 127\.77\.\d+\.\d+:7070/)
      await machine('a').must(['systemctl', 'stop', 'squatter'])
      await expect.poll(line).toBe('v1 hello')
    })

    it('a service that others use is not removed without --force', async () => {
      expect(await pair.tandem('remove', 'echo')).toMatchObject({
        exit: 4,
        error: { code: 'E_IN_USE', message: 'caller uses echo' },
      })
      expect(
        await pair.push('wrong', 'service: wrong\nrun: [node, web.mjs]\nuses: [ecko]\nroutes: [{ host: w }]\n'),
      ).toMatchObject({
        exit: 4,
        error: { code: 'E_NO_SUCH_SERVICE', next: expect.stringContaining('did you mean echo?') },
      })
    })

    it('lose no call when instances are killed, but those that were in flight on them', async () => {
      const { count } = randomRun('names_kills', { check: 3, soak: 100 })
      await machine('a').must(['systemd-run', '--unit=calls', 'node', '-e', callForEver, echoName])
      const seen = async (on: string): Promise<string> => {
        const { services } = await pair.status()
        const { instances = [] } = services.find(({ service }) => service === 'echo') ?? {}
        const one = instances.find((instance) => instance.machine === on)
        return `${one?.state} ${one?.restarts}`
      }
      // HAProxy of the caller's machine uses both instances again: it finds the one of the other machine by its own checks.
      const up = async (): Promise<string[]> =>
        (await machine('a').must(['node', '-e', serversUp, 'svc_echo'])).trim().split('\n').toSorted()
      const kills: number[] = []
      for (let kill = 0; kill < count; kill++) {
        const on = kill % 3 === 2 ? 'b' : 'a'
        const restarts = Number((await seen(on)).split(' ')[1])
        await machine(on).must(['sh', '-c', 'systemctl kill -s KILL --kill-who=main "tandem-echo-*"'])
        kills.push(Date.now())
        await expect.poll(() => seen(on)).toBe(`ready ${restarts + 1}`)
        await expect.poll(up).toEqual([expect.stringMatching(/^echo-/), 'peer:b'])
      }
      await machine('a').must(['systemctl', 'stop', 'calls'])
      const out = await machine('a').must(['journalctl', '-u', 'calls', '-o', 'cat', '--no-pager'])
      const said = out
        .split('\n')
        .flatMap((line): { calls?: number; startedAt?: number; why?: string }[] =>
          line.startsWith('{') ? [JSON.parse(line) as object] : [],
        )
      expect(said.at(-1)?.calls).toBeGreaterThan(100 * count)
      // A process that was killed takes some milliseconds to give up its socket.
      const isInFlight = (startedAt: number): boolean =>
        kills.some((at) => startedAt > at - 2_000 && startedAt < at + 100)
      const failures = said.flatMap(({ startedAt, why }) => (startedAt === undefined ? [] : [{ startedAt, why }]))
      expect(failures.filter(({ startedAt, why }) => why !== '502' || !isInFlight(startedAt))).toEqual([])
      expect(failures.length).toBeLessThanOrEqual(8 * count)
    })

    it('find each other after a restart of the machine, with the controller and the other machine off', async () => {
      await pair.controller.must(['systemctl', 'stop', 'tandem-controller'])
      await pair.lab.network.cut('a', 'b')
      await machine('a').reboot()
      await expect.poll(() => callEcho('a')).toMatch(/^200 echo-\w+-a-1 hello/)
      const unit = (await machine('a').must(['sh', '-c', 'ls /etc/systemd/system | grep tandem-caller'])).trim()
      const started = async (of: string): Promise<number> =>
        Number(await machine('a').must(['systemctl', 'show', '-P', 'ActiveEnterTimestampMonotonic', of]))
      expect(await started('tandem-haproxy.service')).toBeLessThan(await started(unit))
      await pair.lab.network.heal()
      await pair.controller.must(['systemctl', 'start', 'tandem-controller'])
      await pair.until('ready')
    })
  })
}
