import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runHere } from '../../src/cli/testing/testHost.ts'
import { until } from '../../src/lib/testing/until.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask } from '../system/talker.ts'
import { Assembled } from './assembled.ts'

interface Known {
  path: string
  text: string
  mode: number
  folder: string
}

const program = join(import.meta.dirname, '../system/programs/filer.mjs')
const usual = '{{ machine.name }} {{ cluster.name }} {{ config.WORKERS | plus: 1 }} {{ secrets.database }}'

describe('files of services on a laptop', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 2 })
  })
  afterAll(() => laptop?.remove())

  const here = (...argv: string[]) => runHere(argv, laptop.env, laptop.folder)
  const put = (value: string, ...flags: string[]) =>
    runHere(
      ['secrets', 'put', 'filer/db', 'password=-', ...flags],
      laptop.env,
      laptop.folder,
      Readable.from([Buffer.from(value)]),
    )
  const folderOf = (version: string, template: string): string => {
    const folder = laptop.writeRelease(program, version, [
      'run: [node, filer.mjs, "${TANDEM_FILES}/etc/app.conf"]',
      'prepare: [sh, -c, "cat $TANDEM_FILES/etc/app.conf"]',
      'secrets: { database: db }',
      'config: { WORKERS: { type: integer, default: 4 } }',
      'files:',
      '  etc/app.conf: { template: conf/app.liquid, check: [node, filer.mjs, --check, "{}"] }',
    ])
    mkdirSync(join(folder, 'conf'), { recursive: true })
    writeFileSync(join(folder, 'conf/app.liquid'), template)
    return folder
  }
  const push = (version: string, template = usual): Promise<Pushed> =>
    laptop.json<Pushed>('push', folderOf(version, template))
  const on = async (machine: string): Promise<Known> => JSON.parse((await ask(laptop.entries[machine])).text) as Known

  it('are filled in on each machine, for that machine, and only the instance can read them', async () => {
    expect(await put('first secret')).toMatchObject({ code: 0 })
    expect(await push('1')).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    for (const machine of ['a', 'b']) {
      const known = await on(machine)
      expect(known).toMatchObject({ text: `${machine} local 5 first secret`, mode: 0o400 })
      expect(known.path).toBe(`${known.folder}/etc/app.conf`)
      expect(statSync(known.folder).mode & 0o777).toBe(0o700)
    }
  })

  it('refuse a push whose template names an unknown setting', async () => {
    const pushed = await here('push', folderOf('2', 'a\n b {{ config.WORKER }}'))
    expect(pushed.code).toBe(2)
    const validated = await here('validate', join(laptop.folder, 'filer/2'))
    expect([validated.code, validated.err]).toEqual([2, expect.stringContaining('app.liquid:2:7: undefined variable')])
    expect(pushed.err).toContain(
      'conf/app.liquid:2:7: undefined variable: config.WORKER (did you mean config.WORKERS?)',
    )
  })

  it('change with settings and secrets, and are gone with their instance', async () => {
    const before = await on('a')
    expect((await here('config', 'set', 'filer', 'WORKERS=8', '--roll')).code).toBe(0)
    expect((await put('second secret', '--roll')).code).toBe(0)
    for (const machine of ['a', 'b']) expect((await on(machine)).text).toBe(`${machine} local 9 second secret`)
    await until(() => expect(existsSync(before.folder)).toBe(false))
  })

  it('that a check does not accept fail the rollout before anything stops, without the secret', async () => {
    const before = await on('a')
    const failed = await put('bad and long secret', '--roll', '--json')
    expect(failed.code).toBe(1)
    const all = failed.out + failed.err
    expect(all).toContain('next  tandem render filer')
    expect(all).toMatch(
      /machine [ab] could not fill in the files: the check of etc\/app.conf failed: exited with status 3/,
    )
    expect(all).toContain('local 9 ********')
    expect(all).not.toContain('long secret')
    for (const log of ['a/agent.log', 'b/agent.log', 'controller.log'])
      expect(readFileSync(join(laptop.folder, 'data', log), 'utf8')).not.toContain('long secret')
    for (const machine of ['a', 'b']) expect((await on(machine)).text).toBe(`${machine} local 9 second secret`)
    expect((await on('a')).folder).toBe(before.folder)
  })

  it('that cannot be filled in fail the rollout with the place', async () => {
    const pushed = await push('3', 'a\n  {{ secrets.database.nothing }}')
    expect(pushed).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
    expect(JSON.stringify(pushed)).toContain('conf/app.liquid:2:6: undefined variable: secrets.database.nothing')
    expect((await on('b')).text).toBe('b local 9 second secret')
  })

  it('are shown as a machine fills them in, with masks in place of secrets', async () => {
    const shown = await here('render', 'filer', '--machine', 'b')
    expect([shown.code, shown.out]).toEqual([0, '==> etc/app.conf <==\nb local 9 ********\n'])
    expect((await here('render', 'filer', 'etc/app.conf')).out).toBe('a local 9 ********')
    const { out } = await here('render', 'filer', '--json')
    expect(JSON.parse(out)).toMatchObject({
      ...{ service: 'filer', machine: 'a', generation: expect.any(String) },
      files: [{ path: 'etc/app.conf', template: 'conf/app.liquid', text: 'a local 9 ********' }],
    })
    expect((await here('config', 'set', 'filer', 'WORKERS=20')).code).toBe(0)
    const { release } = JSON.parse(out) as { release: string }
    expect((await here('render', 'filer', 'etc/app.conf')).out).toBe('a local 9 ********')
    expect((await here('render', 'filer', 'etc/app.conf', '--release', release)).out).toBe('a local 21 ********')
    expect((await here('config', 'rollback', 'filer')).code).toBe(0)
    expect((await here('render', 'filer', 'etc/app.cnf')).err).toContain('did you mean etc/app.conf?')
    expect((await here('render', 'filer', '--machine', 'z')).err).toContain('there is no machine z')
    expect((await here('render', 'nobody')).err).toContain('nobody')
    const broken = await laptop.json<Pushed>('push', folderOf('4', 'a\n{{ config["NO"] }}'), '--no-deploy')
    expect(broken).toMatchObject({ exit: 2 })
  })

  it('are there for `prepare`, one-off commands and in a shell of an instance', async () => {
    const command = ['sh', '-c', 'cat $TANDEM_FILES/etc/app.conf']
    expect((await laptop.run('run', 'filer', '--', ...command)).out.join('\n')).toMatch(/^[ab] local 9 second secret/m)
    const logs = (await laptop.run('logs', 'filer', '--last', '200')).out.join('\n')
    expect(logs).toMatch(/-prepare.* local 5 first secret/)
    const status = JSON.parse((await here('status', '--json')).out) as {
      services: { instances: { id: string; machine: string }[] }[]
    }
    const instance = status.services[0]?.instances.find(({ machine }) => machine === 'b')?.id ?? ''
    expect((await laptop.run('exec', instance, '--', ...command)).out.join('\n')).toContain('b local 9 second secret')
  })

  it('are filled in again when the agent starts again, and when the service does', async () => {
    await laptop.stopAgent('b')
    await laptop.startAgent('b')
    await until(async () => expect((await on('b')).text).toBe('b local 9 second secret'))
    expect(await laptop.json('stop', 'filer')).toMatchObject({ exit: 0 })
    expect(await laptop.json('start', 'filer')).toMatchObject({ exit: 0 })
    expect((await on('a')).text).toBe('a local 9 second secret')
  })
})
