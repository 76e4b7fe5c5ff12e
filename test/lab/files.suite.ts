import { beforeAll, describe, expect, it } from 'vitest'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

interface Known {
  path: string
  text: string
  mode: number
  folder: string
}

const needle = (of: string): string => `needle-in-a-file-${of}-1b7e`
const template = '{{ machine.name }} {{ cluster.name }} {{ config.WORKERS | plus: 1 }} {{ secrets.database }}'
const definition = (version: string): string =>
  [
    'service: filer',
    'run: [node, filer.mjs, "${TANDEM_FILES}/etc/app.conf"]',
    'prepare: [sh, -c, "test -s $TANDEM_FILES/etc/app.conf"]',
    `env: { VERSION: "${version}" }`,
    'secrets: { database: db }',
    'config: { WORKERS: { type: integer, default: 4 } }',
    'files:',
    '  etc/app.conf: { template: conf/app.liquid, check: [node, filer.mjs, --check, "{}"] }',
    'health: { path: /health, every: 50ms }',
    'rollout: { drain: 100ms }',
    '',
  ].join('\n')

/** Templates on real machines: filled in by the privileged helper, in the jail of the service. */
export const filesSuite = (lend: () => Promise<Pair>): void => {
  describe('files of services on a pair', () => {
    let pair: Pair
    const on = (name: string): LabMachine => pair.lab.machine(name)
    const put = (value: string, ...flags: string[]) =>
      pair.controller.run([
        'sh',
        '-c',
        `printf %s ${value} | tandem secrets put filer/db password=- ${flags.join(' ')}`,
      ])
    const known = async (name: string): Promise<Known> =>
      JSON.parse(await on(name).must(['curl', '-sS', '--max-time', '5', `http://${on(name).address}/`])) as Known
    const unitOn = async (name: string): Promise<string> => {
      const all = await on(name).must(['systemctl', 'list-units', '--plain', '--no-legend', `tandem-filer-*-${name}-*`])
      return all.trim().split(/\s/, 1)[0] ?? ''
    }
    const pidOn = async (name: string): Promise<string> =>
      (await on(name).must(['systemctl', 'show', '-P', 'MainPID', await unitOn(name)])).trim()

    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster({ more: `recovery: [${await identityToRecipient(await generateIdentity())}]\n` })
      for (const { service } of (await pair.status()).services) await pair.remove(service)
      pair.controller.write('/srv/services/filer/conf/app.liquid', template)
    }, bootMs)

    it('are filled in on each machine, and only the processes of the service see them', async () => {
      expect((await put(needle('one'))).code).toBe(0)
      await pair.roll('filer', definition('1'), 'filer.mjs')
      for (const name of ['a', 'b']) {
        expect(await known(name)).toEqual({
          ...{ text: `${name} lab 5 ${needle('one')}`, mode: 0o400 },
          ...{ folder: '/run/tandem-files', path: '/run/tandem-files/etc/app.conf' },
        })
        expect((await on(name).must(['find', '/run/tandem-files', '-type', 'f'])).trim()).toBe('')
      }
    })

    it('are the same for a shell and a command', async () => {
      const shown = ['--', 'sh', '-c', 'cat $TANDEM_FILES/etc/app.conf']
      const { services } = await pair.status()
      const instance = services.find(({ service }) => service === 'filer')?.instances[0]?.id ?? ''
      for (const argv of [
        ['exec', instance, ...shown],
        ['run', 'filer', '--no-stdin', ...shown],
      ])
        expect((await pair.controller.run(['tandem', ...argv])).out).toContain(needle('one'))
    })

    it('are shown with their secrets masked', async () => {
      const { out } = await pair.controller.run(['tandem', 'render', 'filer', '--machine', 'a'])
      expect(out).toContain('a lab 5 ********')
    })

    it('that a check refuses stop nothing, and the value that it prints is masked', async () => {
      const before = await Promise.all(['a', 'b'].map(pidOn))
      const refused = await put(`bad-${needle('two')}`, '--roll')
      expect(refused.code).toBe(1)
      expect(refused.err).toMatch(/the check of etc\/app.conf failed: exited with status 3: read [ab] lab 5 \*{8}/)
      expect(refused.err + refused.out).not.toContain(needle('two'))
      expect(await Promise.all(['a', 'b'].map(pidOn))).toEqual(before)
      expect((await put(needle('three'), '--roll')).code).toBe(0)
      expect((await known('b')).text).toBe(`b lab 5 ${needle('three')}`)
    })

    it('change with the settings', async () => {
      expect((await pair.tandem('config', 'set', 'filer', 'WORKERS=8', '--roll')).exit).toBe(0)
      expect((await known('a')).text).toBe(`a lab 9 ${needle('three')}`)
    })

    it('lie on no disk, and in no journal', async () => {
      const values = ['one', 'two', 'three'].map(needle)
      for (const name of ['a', 'b']) {
        // The control shows that the search finds a value.
        on(name).write('/var/tmp/control', `a ${values[0]} b`)
        const patterns = values.flatMap((value) => ['-e', value])
        const found = await on(name).run(['grep', '-rlF', ...patterns, '/var', '/etc', '/root', '/tmp', '/run/systemd'])
        expect(found.out.trim().split('\n')).toEqual(['/var/tmp/control'])
        const journal = await on(name).run(['sh', '-c', `journalctl -b -o export | grep -cF ${patterns.join(' ')}`])
        expect(journal.out.trim()).toBe('0')
        await on(name).must(['rm', '/var/tmp/control'])
      }
    })

    it('are there after a machine lost power, without the controller', async () => {
      await pair.controller.must(['systemctl', 'stop', 'tandem-controller'])
      await on('a').kill()
      await on('a').boot()
      await expect
        .poll(() => known('a').catch((error: unknown) => String(error)), { timeout: 60_000 })
        .toMatchObject({ text: `a lab 9 ${needle('three')}` })
      await pair.controller.must(['systemctl', 'start', 'tandem-controller'])
      await pair.until('ready')
      await pair.remove('filer')
    })
  })
}
