import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { MaintenanceView } from '../../src/api/maintenance.ts'
import type { DesiredState } from '../../src/protocol/desiredState.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { failuresOf, web } from '../system/rollUnderLoad.ts'
import { ClientLoad } from './clientLoad.ts'
import { privilegedSocket } from '../../src/layout/folders.ts'
import { askingAt } from './askHelper.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const drain = 1_000
const soon = { interval: 200 }
const { seed, count: kills } = randomRun('helper_kills', { check: 12, soak: 100 })
/** Time limit of each test. */
const mostRounds = 20 + kills
const virtual = '10.0.0.50'

const asking = askingAt(privilegedSocket)

/** Needs agents that still run as root: the first suite of a pair with `byHand`. */
export const privilegeSuite = (lend: () => Promise<Pair>): void => {
  describe('agents without rights', () => {
    let pair: Pair
    let version = 0
    const push = (more = '') => pair.roll('web', web({ name: 'web', version: String(++version), drain, more }))
    beforeAll(async () => {
      pair = await lend()
      for (const name of ['a', 'b'])
        pair.lab.machine(name).write('/etc/tandem/env/web.env', 'TOKEN=of-the-service\n', 0o600)
      await push()
    }, bootMs)

    const on = (name: string) => pair.lab.machine(name)
    /** Runs with exactly the groups of the running agent: its unit gives it more groups than its user has. */
    const ofAgent = async (...argv: string[]) => {
      const groups = /^Groups:\t([\d ]+?) *$/m.exec(await statusOf('tandem-agent'))?.[1]?.replaceAll(' ', ',')
      expect(groups).toMatch(/^\d+(,\d+)+$/)
      const user = ['--reuid=tandem', '--regid=tandem', `--groups=${groups}`, '--no-new-privs']
      return on('a').run(['setpriv', ...user, '--', ...argv])
    }
    const ask = async (operation: string, args: unknown): Promise<string> => {
      const request = JSON.stringify({ operation, arguments: args })
      return (await ofAgent('node', '--input-type=module', '-e', asking, request)).out.trim()
    }
    const pidOf = async (unit: string): Promise<string> =>
      (await on('a').must(['systemctl', 'show', '-P', 'MainPID', unit])).trim()
    const statusOf = async (unit: string): Promise<string> => on('a').must(['cat', `/proc/${await pidOf(unit)}/status`])
    const instanceUnit = async (): Promise<string> => {
      const out = await on('a').must(['systemctl', 'list-units', '--plain', '--no-legend', 'tandem-web-*.service'])
      return out.split(' ')[0] ?? ''
    }

    it('replace agents that were root when the machine joins again; no service is restarted', async () => {
      const userOf = async (unit: string): Promise<string> =>
        (await on('a').must(['stat', '-c', '%U', `/proc/${await pidOf(unit)}`])).trim()
      const running = async (): Promise<string> => pidOf(await instanceUnit())
      const before = await running()
      expect([await userOf('tandem-agent'), await userOf('tandem-haproxy')]).toEqual(['root', 'root'])
      for (const name of ['a', 'b']) await pair.join(name)
      await pair.until('ready')
      await expect.poll(() => userOf('tandem-haproxy'), soon).toBe('tandem_haproxy')
      expect(await userOf('tandem-agent')).toBe('tandem')
      expect(await running()).toBe(before)
      await push()
      const { out } = await pair.lab.client.run(['curl', '-s', '--max-time', '5', pair.entries[0] ?? ''])
      expect(out).toContain(String(version))
    })

    it('run as their user without any capability; HAProxy has only the one for its ports; services have their secrets', async () => {
      const uid = (await on('a').must(['id', '-u', 'tandem'])).trim()
      const agent = await statusOf('tandem-agent')
      expect(agent).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'))
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(agent).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'))
      expect(agent).toMatch(/^NoNewPrivs:\t1$/m)
      const haproxy = await statusOf('tandem-haproxy')
      expect(haproxy).not.toMatch(/^Uid:\t0/m)
      expect(haproxy).toMatch(/^CapEff:\t0*400$/m) // CAP_NET_BIND_SERVICE
      const environment = await on('a').must(['cat', `/proc/${await pidOf(await instanceUnit())}/environ`])
      expect(environment).toContain('TOKEN=of-the-service')
    })

    it('their user can read no secret, write no unit, and start, stop and restart nothing', async () => {
      const unit = await instanceUnit()
      const refused: string[][] = [
        ['cat', '/etc/tandem/env/web.env'],
        ['ls', '/var/lib/tandem/privileged'],
        ['ls', '/var/lib/private/tandem-data/web'],
        ['mv', '/var/lib/tandem/privileged', '/var/lib/tandem/elsewhere'],
        ['rmdir', '/var/lib/tandem/privileged'],
        ['touch', '/etc/systemd/system/tandem-x-1.service'],
        ['sh', '-c', `echo >>/etc/systemd/system/${unit}`],
        ['touch', '/etc/tandem/allowed-jail.yaml'],
        ['rm', '/run/tandem/privileged.sock'],
        ['systemctl', 'restart', unit],
        ['systemctl', 'stop', 'tandem-haproxy'],
        ['systemctl', 'daemon-reload'],
        ['systemctl', 'reboot'],
        ['systemd-run', '--wait', 'true'],
        ['kill', '-9', await pidOf(unit)],
        ['ip', 'address', 'add', `${virtual}/32`, 'dev', 'lo'],
      ]
      for (const argv of refused) {
        const { code, out, err } = await ofAgent(...argv)
        expect(code, `${argv.join(' ')}: ${out}${err}`).not.toBe(0)
      }
      expect(await pidOf(unit)).not.toBe('0')
    })

    it('the privileged helper refuses requests that the unprivileged agent must not send', async () => {
      const release = 'ab'.repeat(32)
      const spec = (over: object = {}) => ({
        spec: {
          ...{ id: 'x-1', service: 'x', release, argv: ['true'], env: {} },
          limits: { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null },
          stop: { signal: 'SIGTERM', withinMs: 1_000 },
          ...over,
        },
      })
      const lines = 'x\n[Service]\nUser=root\nExecStart=/bin/touch /root/taken'
      const script = { id: 'm1-1', name: 'x', text: 'touch /root/taken', withinMs: 1_000 }
      const settings = {
        ...{ machine: 'a', interface: 'host0', own: on('a').address, peers: [] },
        addresses: [{ address: virtual, routerId: 1, priority: 100 }],
      }
      // This order is signed by the controller, but for something else.
      await on('a').must(['systemctl', 'restart', 'tandem-agent'])
      const kept = JSON.parse(await on('a').must(['cat', '/var/lib/tandem/desired.json'])) as DesiredState
      const signed = kept.orders.settings
      const program = (over: object = {}) => {
        const about = { id: kept.instances[0]?.id, service: 'web', use: 'instance', port: 20_500, attached: false }
        return { ...about, order: kept.serviceOrders['web'], ...over }
      }
      // The unchanged request is accepted, so each refusal below is caused by the change.
      expect(await ask('program.write', program())).toBe('{"value":null}')
      expect(signed).not.toBeNull()
      const version = { key: 'u1', release, version: '9.9.9' }
      const hostile: [string, unknown][] = [
        ['unit.write', spec()],
        ['unit.write', spec({ jail: { user: 'root' } })],
        ['program.write', program({ id: lines })],
        ['program.write', program({ id: '../../../../tmp/x' })],
        ['program.write', program({ service: lines })],
        ['program.write', program({ use: lines })],
        ['program.write', program({ port: '80' })],
        ['program.write', program({ jail: { user: 'root' } })],
        ['program.write', program({ order: { order: signed, content: '{}' } })],
        ['program.write', program({ order: null })],
        ['unit.start', { unit: 'getty@tty1.service', timeoutMs: 1_000 }],
        ['unit.stop', { unit: 'tandem-haproxy.service', timeoutMs: 1_000 }],
        ['unit.stop', { unit: 'dbus.service', timeoutMs: 1_000 }],
        ['unit.remove', { unit: 'tandem-agent.service' }],
        ['unit.remove', { unit: '../../../../etc/passwd' }],
        ['data.remove', { service: '../../../etc' }],
        ['data.remove', { service: 'web' }],
        ['addresses.install', { settings, haproxy: null }],
        ['settings.take', { address: on('a').address, addresses: [virtual], order: null }],
        ['script.begin', { script, order: null }],
        ['script.begin', { script, order: '{}' }],
        ['script.begin', { script, order: signed }],
        ['machine.restart', { order: null }],
        ['machine.restart', { order: signed }],
        ['settings.take', { address: on('a').address, addresses: [virtual], order: signed }],
        ...['program.prepare', 'program.begin'].flatMap((operation): [string, unknown][] =>
          [null, '{}', signed].map((order) => [operation, { ...version, order }]),
        ),
        ['shell', { command: 'id' }],
      ]
      for (const [operation, args] of hostile)
        expect(await ask(operation, args), `${operation} ${JSON.stringify(args)}`).toMatch(/^\{"error":/)
      expect((await on('a').run(['ls', '/root/taken'])).code).not.toBe(0)
      expect(
        (await on('a').must(['ls', '/etc/systemd/system'])).split('\n').filter((name) => name.includes('x-1')),
      ).toEqual([])
      // No other user may send requests.
      const stranger = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--']
      const asked = await on('a').run([...stranger, 'node', '--input-type=module', '-e', asking, '{}'])
      expect(asked.out.trim()).toBe('error EACCES')
    })

    it("doctor gives a file in place of HAProxy's configuration no more rights than the agent has", async () => {
      const config = '/var/lib/tandem/haproxy/haproxy.cfg'
      // doctor reports the failure of the script as HAProxy's refusal.
      const confess = `for l in io.lines('/proc/self/status') do if l:match('^Uid') then error((l:gsub('%s+', ' '))) end end\n`
      on('a').write('/srv/other.lua', confess)
      await on('a').must([
        'sh',
        '-c',
        `(cat ${config}; printf 'global\\n  lua-load /srv/other.lua\\n') >/srv/other.cfg`,
      ])
      await ofAgent('sh', '-c', `mv ${config} ${config}.kept && ln -s /srv/other.cfg ${config}`)
      const { out } = await on('a').run(['tandem', 'doctor', '--data', '/var/lib/tandem'])
      await ofAgent('mv', `${config}.kept`, config)
      const uid = (await on('a').must(['id', '-u', 'tandem'])).trim()
      expect(out).toContain(`Uid: ${uid} ${uid} ${uid} ${uid}`)
    })

    it('the privileged helper exits when it is idle', async () => {
      // The tests since the last push asked only the helper of the other machine.
      const helper = async (): Promise<string> =>
        (await on('b').must(['systemctl', 'show', '-P', 'MainPID', 'tandem-privileged'])).trim()
      await expect.poll(helper, { interval: 500 }).toBe('0')
    })

    it('the agent can read a certificate that root renews by hand', async () => {
      const a = on('a')
      const request = await a.must(['tandem', 'agent', 'certificate', 'request'])
      pair.controller.write('/root/a.csr', request)
      const named = ['--machine', 'a', '--address', a.address]
      a.write('/root/a.pem', await pair.controller.must(['tandem', 'controller', 'sign', '/root/a.csr', ...named]))
      await a.must(['tandem', 'agent', 'certificate', 'install', '/root/a.pem'])
      expect(await a.must(['stat', '-c', '%U %a', '/var/lib/tandem/identity/identity.pem'])).toBe('tandem 600\n')
      const before = await pidOf('tandem-agent')
      await a.must(['systemctl', 'restart', 'tandem-agent'])
      expect(await pidOf('tandem-agent')).not.toBe(before)
      await push()
    })

    it('a service that requests more than it may have fails its rollout, and the message shows the line that allows it', async () => {
      const more = 'jail: { capabilities: [CAP_NET_ADMIN] }\n'
      const refused = await pair.push('web', web({ name: 'web', version: String(++version), drain, more }))
      expect(refused).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
      expect(refused.rollout?.reason).toContain('CAP_NET_ADMIN` is not allowed for web')
      const permits = 'web: { capabilities: [CAP_NET_ADMIN] }\n'
      for (const name of ['a', 'b']) on(name).write('/etc/tandem/allowed-jail.yaml', permits)
      await push(more)
      await push()
    })

    it('the controller patches and restarts machines by signed orders', async () => {
      const before = await on('a').must(['stat', '-c', '%Y', '/proc/1'])
      pair.controller.write('/root/patch.sh', 'id -u > /root/patched\n')
      const patched = await pair.tandem<{ maintenance: MaintenanceView }>(
        'machine',
        'patch',
        'a',
        '--script',
        '/root/patch.sh',
      )
      expect(patched).toMatchObject({ exit: 0, maintenance: { state: 'completed' } })
      expect((await on('a').must(['cat', '/root/patched'])).trim()).toBe('0')
      expect(await on('a').must(['stat', '-c', '%Y', '/proc/1'])).not.toBe(before)
      await pair.until('ready')
    })

    it(
      `nothing is lost when the privileged helper is killed ${kills} times at random moments of rollouts`,
      { timeout: 300_000 + kills * 10_000 },
      async () => {
        const next = seededRandom(seed)
        const load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 100, drainMs: drain })
        const over = new AbortController()
        const killing = (async (): Promise<number> => {
          for (let killed = 0; ;) {
            if (over.signal.aborted || killed >= kills) return killed
            await pause(next() * 400)
            const name = next() < 0.5 ? 'a' : 'b'
            const pid = (await on(name).run(['systemctl', 'show', '-P', 'MainPID', 'tandem-privileged'])).out.trim()
            if (pid === '0') continue
            await on(name).run(['kill', '-9', pid])
            killed += 1
          }
        })()
        const enough = killing.then(() => over.abort())
        for (let round = 0; round < mostRounds; round++) {
          await push()
          if (over.signal.aborted) break
        }
        over.abort()
        await enough
        const killed = await killing
        const result = await load.stop()
        expect(killed).toBeGreaterThanOrEqual(kills)
        expect(failuresOf(result)).toEqual([])
      },
    )

    it('run commands whose input and output bypass the privileged helper, byte for byte', async () => {
      const script = `
      head -c 3000000 /dev/urandom > /root/sent && printf 'no newline' >> /root/sent
      tandem run web --machine a -- cat < /root/sent > /root/got && cmp /root/sent /root/got
      test "$(tandem run web --no-stdin -- seq 1 50000 | sha256sum)" = "$(seq 1 50000 | sha256sum)"
      status=0; tandem run web --no-stdin -- sh -c 'echo to err > /dev/stderr; exit 7' 2> /root/err || status=$?
      echo "status $status"; cat /root/err`
      const out = await pair.controller.must(['bash', '-euo', 'pipefail', '-c', script])
      expect(out).toContain('status 7')
      expect(out).toContain('to err')
      // Only root and the agent can open the pipes of another user, and no pipe is left.
      const running = pair.controller.run(['tandem', 'run', 'web', '--machine', 'a', '--no-stdin', '--', 'sleep', '90'])
      const pipes = async (): Promise<string> =>
        (await on('a').run(['sh', '-c', 'ls -d /run/tandem-streams/*/'])).out.trim()
      await expect.poll(pipes, soon).toMatch(/^\S+$/)
      const folder = await pipes()
      expect(await on('a').must(['stat', '-c', '%a %U:%G', folder])).toBe('710 root:tandem\n')
      expect((await on('a').run(['setpriv', '--reuid=nobody', '--clear-groups', 'cat', `${folder}out`])).code).not.toBe(
        0,
      )
      expect((await ofAgent('ln', '-s', '/etc/passwd', `${folder}x`)).code).not.toBe(0)
      expect((await ofAgent('rm', '-f', `${folder}out`)).code).not.toBe(0)
      const unit = folder.split('/').at(-2) ?? ''
      await expect.poll(async () => (await on('a').run(['systemctl', 'kill', unit])).code, soon).toBe(0)
      expect((await running).code).not.toBe(0)
      await expect.poll(pipes, soon).toBe('')
    })

    it('leaves and removes its setup, and services continue; joins again', async () => {
      await on('b').must(['tandem', 'agent', 'leave'])
      const left = await on('b').must(['ls', '/etc/systemd/system'])
      expect(left).not.toMatch(/tandem-(agent|privileged)/)
      expect(left).toMatch(/tandem-web-.*\.service/)
      const { out } = await pair.lab.client.run(['curl', '-s', '--max-time', '5', pair.entries[1] ?? ''])
      expect(out).toContain(String(version))
      await pair.join('b')
      await pair.until('ready')
      for (const name of ['a', 'b'])
        await on(name).must(['rm', '/etc/tandem/allowed-jail.yaml', '/etc/tandem/env/web.env'])
    })
  })
}
