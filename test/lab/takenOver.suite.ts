import { beforeAll, describe, expect, it } from 'vitest'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { privilegedSocket } from '../../src/layout/folders.ts'
import type { DesiredState } from '../../src/protocol/desiredState.ts'
import { web } from '../system/rollUnderLoad.ts'
import { askingAt } from './askHelper.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const secret = 'needle-of-the-prey-71c0'
const releases = '/var/lib/tandem/privileged/cache/releases'
const definition = (version: string): string =>
  web({ name: 'prey', version, more: 'secrets: { database: db }' }).replace('env: {', 'env: { NEEDS: database,')

const limits = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
const stop = { signal: 'SIGUSR1', withinMs: 1_000 }

/** Acts as the user of machine a's agent, with its groups and all its files: docs/secrets.md says what it cannot do. */
export const takenOverSuite = (lend: () => Promise<Pair>): void => {
  describe('an agent that was taken over', () => {
    let pair: Pair
    let groups = ''
    const on = (name: string): LabMachine => pair.lab.machine(name)
    const asAgent = (...argv: string[]) =>
      on('a').run([
        ...['setpriv', '--reuid=tandem', '--regid=tandem', `--groups=${groups}`, '--no-new-privs', '--'],
        ...argv,
      ])
    const ask = async (operation: string, args: object): Promise<string> => {
      const request = JSON.stringify({ operation, arguments: args })
      return (await asAgent('node', '--input-type=module', '-e', askingAt(privilegedSocket), request)).out.trim()
    }
    const pidOf = async (unit: string): Promise<string> =>
      (await on('a').must(['systemctl', 'show', '-P', 'MainPID', unit])).trim()
    const unit = async (): Promise<string> => {
      const all = await on('a').must(['systemctl', 'list-units', '--plain', '--no-legend', 'tandem-prey-*'])
      return all.trim().split(/\s/, 1)[0] ?? ''
    }
    /** The desired state that an agent keeps: it is merged into one file when the agent ends. */
    const kept = async (name: string): Promise<DesiredState> => {
      await on(name).must(['systemctl', 'restart', 'tandem-agent'])
      return JSON.parse(await on(name).must(['cat', '/var/lib/tandem/desired.json'])) as DesiredState
    }
    const askedFor = (state: DesiredState, over: object = {}) => {
      const instance = state.instances.find(({ service }) => service === 'prey')
      const about = { id: instance?.id, service: 'prey', use: 'instance', port: 20_500, attached: false }
      return { ...about, order: state.serviceOrders['prey'], ...over }
    }
    const serves = async (): Promise<string> => {
      const url = `http://${on('a').address}/secret?name=database`
      return on('a').must(['curl', '-sS', '--max-time', '5', '-H', 'Host: prey.test', url])
    }

    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster({ more: `recovery: [${await identityToRecipient(await generateIdentity())}]\n` })
      for (const { service } of (await pair.status()).services) await pair.remove(service)
      await pair.controller.must(['sh', '-c', `printf %s ${secret} | tandem secrets put prey/db password=-`])
      await pair.roll('prey', definition('1'))
      const status = await on('a').must(['cat', `/proc/${await pidOf('tandem-agent')}/status`])
      groups = /^Groups:\t([\d ]+?) *$/m.exec(status)?.[1]?.replaceAll(' ', ',') ?? ''
      expect(groups).toMatch(/^\d+(,\d+)+$/)
    }, bootMs)

    it('starts the instances that the controller wants, and chooses no program, signal, environment or jail', async () => {
      const state = await kept('a')
      expect(await ask('program.write', askedFor(state))).toBe('{"value":null}')
      const text = await on('a').must(['systemctl', 'cat', await unit()])
      expect(text).toContain(`WorkingDirectory=${releases}/`)
      const spec = {
        ...{ id: 'prey-x-1', service: 'prey', argv: ['/bin/sh'], env: {} },
        ...{ release: state.instances[0]?.release, secrets: { generation: state.instances[0]?.generation } },
        limits,
        stop,
      }
      const never: [string, object, RegExp][] = [
        ['unit.write', { spec }, /E_ORDER/],
        // A service without secrets may get some tomorrow.
        ['unit.write', { spec: { ...spec, id: 'other-1', service: 'other', secrets: undefined } }, /E_ORDER/],
        ['program.write', askedFor(state, { argv: ['/bin/sh'] }), /invalid arguments/],
        ['program.write', askedFor(state, { env: { NODE_OPTIONS: '--inspect' } }), /invalid arguments/],
        ['program.write', askedFor(state, { stop: { signal: 'SIGUSR1', withinMs: 1 } }), /invalid arguments/],
        ['program.write', askedFor(state, { cwd: '/var/lib/tandem/cache' }), /invalid arguments/],
        ['program.write', askedFor(state, { id: 'prey-x-1' }), /names no instance prey-x-1/],
        ['program.write', askedFor(state, { use: 'prepare' }), /names no instance/],
        ['program.write', askedFor(state, { use: 'command' }), /meant for a service/],
        ['program.write', askedFor(state, { port: 22 }), /port 22 is not between/],
        ['program.write', askedFor(state, { service: 'other', id: 'other-1' }), /meant for prey/],
      ]
      for (const [operation, args, why] of never) expect(await ask(operation, args)).toMatch(why)
      const order = state.serviceOrders['prey']
      const content = order?.content.replace(/"run":\[[^\]]*\]/, '"run":["/bin/sh"]')
      expect(content).not.toBe(order?.content)
      expect(await ask('program.write', askedFor(state, { order: { ...order, content } }))).toContain(
        'meant for another content',
      )
      expect(await ask('program.write', askedFor(await kept('b'), { id: askedFor(state).id }))).toContain(
        'meant for machine b',
      )
    })

    it('starts nothing unsigned on a machine that has just joined, before the first order', async () => {
      const release = (await kept('a')).instances.find(({ service }) => service === 'prey')?.release
      const spec = { ...{ id: 'other-1', service: 'other', release, argv: ['/bin/sh'], env: {} }, limits, stop }
      // As on a machine that joined before orders were signed, which the same command ends.
      await on('a').must(['rm', '/var/lib/tandem/privileged/service-orders.json'])
      expect(await ask('unit.write', { spec })).toBe('{"value":null}')
      expect(await ask('unit.remove', { unit: 'tandem-other-1.service' })).toBe('{"value":null}')
      await pair.join('a')
      expect(await ask('unit.write', { spec })).toMatch(/E_ORDER/)
    })

    it('brings back no earlier release or instance', async () => {
      const before = await kept('a')
      await pair.roll('prey', definition('2'))
      expect(await ask('program.write', askedFor(before))).toContain('already obeyed a later order')
    })

    it('reads no value, in whatever place the service has it', async () => {
      const [name, pid] = [await unit(), await pidOf(await unit())]
      expect(await serves()).toBe(secret)
      const places = [
        ...[`/run/credentials/${name}/database`, `/proc/${pid}/environ`, `/proc/${pid}/mem`, `/proc/${pid}/maps`],
        ...[`/proc/${pid}/root/run/credentials/${name}/database`, `/proc/${pid}/cwd/server.js`, releases],
        ...['/var/lib/tandem/privileged/secrets/prey/order.json', `/var/lib/tandem/privileged/credentials/${name}`],
        ...['/var/lib/systemd/credential.secret', '/etc/tandem/env', '/var/lib/private/tandem-data/prey'],
      ]
      for (const place of places) {
        const { code, out } = await asAgent('sh', '-c', 'head -c 1 "$1" || ls "$1/"', 'sh', place)
        expect([place, code === 0, out]).toEqual([place, false, ''])
      }
      for (const argv of [
        ['kill', '-USR1', pid],
        ['systemctl', 'kill', '-s', 'USR1', name],
        ['systemd-run', '--wait', '-p', `LoadCredentialEncrypted=database`, 'true'],
        ['nsenter', '-t', pid, '-m', 'true'],
      ])
        expect([argv, (await asAgent(...argv)).code === 0]).toEqual([argv, false])
      const all = await asAgent('sh', '-c', `journalctl -q --no-pager -o export | grep -c ${secret}`)
      expect(all.out.trim()).toBe('0')
    })

    it('cannot change the files of a release: what it fetched is verified when root copies it', async () => {
      const release = (await kept('a')).instances.find(({ service }) => service === 'prey')?.release ?? ''
      const made = { release, verify: true }
      const all = JSON.parse(await ask('release.bytes', {})) as { value: Record<string, number> }
      const others = Object.keys(all.value).filter((one) => one !== release)
      const forged = `
        cd /var/lib/tandem/cache/objects
        for f in $(find . -type f); do rm $f; case $((n = (n + 1) % 3)) in
          0) ln -s /etc/shadow $f;; 1) mkfifo $f;; 2) printf 'process.exit()' > $f;; esac; done`
      expect((await asAgent('sh', '-c', forged)).code).toBe(0)
      // The folder that is there is sound, and needs nothing of the agent.
      expect(await ask('release.make', made)).toContain(`"folder":"${releases}/${release}"`)
      await on('a').must(['systemctl', 'kill', '-s', 'KILL', await unit()])
      await expect.poll(serves, { interval: 200 }).toBe(secret)
      // It can have the folder removed, as it can stop the service, but not made from anything else.
      expect(await ask('release.keepOnly', { releases: others, damaged: others })).toBe('{"value":null}')
      expect(await ask('release.make', made)).toMatch(/"damaged":\["blob/)
      expect((await on('a').run(['ls', `${releases}/${release}`])).code).not.toBe(0)
      // The agent itself fetches what is damaged.
      await pair.tandem('restart', 'prey')
      await pair.until('ready')
      expect(await serves()).toBe(secret)
    })
  })
}
