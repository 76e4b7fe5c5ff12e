import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runHere } from '../../src/cli/testing/testHost.ts'
import { until } from '../../src/lib/testing/until.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask } from '../system/talker.ts'
import { Assembled } from './assembled.ts'

interface Known {
  database: string
  mail: string
  folder: string
  mode: number
}

const program = join(import.meta.dirname, '../system/programs/keeper.mjs')

describe('secrets of services on a laptop', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 2 })
  })
  afterAll(() => laptop?.remove())

  const secrets = (input: string, ...argv: string[]) =>
    runHere(['secrets', ...argv], laptop.env, laptop.folder, Readable.from([Buffer.from(input)]))
  const put = async (path: string, field: string, value: string): Promise<void> => {
    expect(await secrets(value, 'put', path, `${field}=-`)).toMatchObject({ code: 0 })
  }
  const folderOf = (version: string): string =>
    laptop.writeRelease(program, version, [
      'run: [node, keeper.mjs]',
      'secrets:',
      '  database: db',
      '  MAIL_PASSWORD: { from: "@shared/smtp#password", as: env }',
    ])
  const push = (version: string): Promise<Pushed> => laptop.json<Pushed>('push', folderOf(version))
  const on = async (machine: string): Promise<Known> => JSON.parse((await ask(laptop.entries[machine])).text) as Known

  it('are named by a push that lacks them, with the command that helps', async () => {
    expect(await push('1')).toMatchObject({
      exit: 4,
      error: {
        code: 'E_NO_SUCH_SECRET',
        message: 'keeper names the secret @shared/smtp, which nobody has stored',
        next: 'tandem secrets put @shared/smtp password=-',
      },
    })
    await put('@shared/smtp', 'password', 'letters')
    expect(await push('1')).toMatchObject({
      error: { code: 'E_SECRET_NOT_GRANTED', next: 'tandem secrets grant @shared/smtp keeper' },
    })
    expect(await secrets('', 'grant', '@shared/smtp', 'keeper')).toMatchObject({ code: 0 })
    expect(await push('1')).toMatchObject({ error: { next: 'tandem secrets put keeper/db value=-' } })
    await put('keeper/db', 'password', 'first')
    await put('keeper/db', 'user', 'ida')
    expect(await push('1')).toMatchObject({ error: { next: 'name one of them, such as keeper/db#password' } })
    expect(await secrets('first', 'put', 'keeper/db', 'password=-', '--replace')).toMatchObject({ code: 0 })
  })

  it('are files that only the instance can read, and variables', async () => {
    expect(await push('1')).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    for (const machine of ['a', 'b']) {
      const known = await on(machine)
      expect(known).toMatchObject({ database: 'first', mail: 'letters', mode: 0o400 })
      expect(existsSync(known.folder)).toBe(true)
    }
  })

  it('change by a restart, and not before', async () => {
    await put('keeper/db', 'password', 'second')
    const before = await on('a')
    expect(before.database).toBe('first')
    expect(await laptop.json('restart', 'keeper')).toMatchObject({ exit: 0 })
    for (const machine of ['a', 'b']) expect((await on(machine)).database).toBe('second')
    await until(() => expect(existsSync(before.folder)).toBe(false))
  })

  it('change at once with --roll, and `who` names the instances', async () => {
    const before = await secrets('rolls', 'put', 'keeper/db', 'password=-', '--roll')
    expect([before.code, before.out]).toEqual([0, expect.stringContaining('stored keeper/db, version')])
    const rolled = await secrets('rolled', 'put', 'keeper/db', 'password=-', '--roll', '--json')
    // One document, whatever rolls.
    expect([rolled.code, JSON.parse(rolled.out)]).toMatchObject([
      0,
      { changed: true, services: ['keeper'], rollouts: [{ service: 'keeper', rollout: { state: 'completed' } }] },
    ])
    const again = await secrets('rolled', 'put', 'keeper/db', 'password=-', '--roll', '--json')
    expect(JSON.parse(again.out)).toMatchObject({ changed: false, services: [], rollouts: [] })
    for (const machine of ['a', 'b']) expect((await on(machine)).database).toBe('rolled')
    expect((await secrets('second', 'put', 'keeper/db', 'password=-')).out).toContain('tandem restart keeper')
    const { out } = await secrets('', 'who', 'keeper/db')
    expect(out).toMatch(/^keeper-\w+-a-1 on a runs with version \d$/m)
    expect(out).toMatch(/^tandem restart keeper {3}brings it version \d$/m)
    expect((await laptop.run('status')).out.join('\n')).toMatch(/newer secrets: keeper\/db \d \(runs with \d\)/)
    expect(await laptop.json('restart', 'keeper')).toMatchObject({ exit: 0 })
  })

  it('go back with a rollout that fails, and a rejected version is not tried again', async () => {
    const failed = await secrets('wrong one', 'put', 'keeper/db', 'password=-', '--roll', '--json')
    expect([failed.code, JSON.parse(failed.out)]).toMatchObject([
      1,
      { changed: true, services: ['keeper'], rollouts: [{ service: 'keeper', rollout: { state: 'reverted' } }] },
    ])
    for (const machine of ['a', 'b']) expect((await on(machine)).database).toBe('second')
    const again = await runHere(['push', folderOf('2')], laptop.env, laptop.folder)
    expect(again.code).toBe(0)
    expect(again.err).toMatch(/keeper gets version \d of keeper\/db: a rollout with version \d was reverted/)
    expect((await on('b')).database).toBe('second')
    await put('keeper/db', 'password', 'third')
    expect(await laptop.json('restart', 'keeper')).toMatchObject({ exit: 0 })
    expect((await on('b')).database).toBe('third')
  })

  it('are not destroyed while instances run with them; a deleted one stays until then', async () => {
    const { out } = await secrets('', 'versions', 'keeper/db', '--json')
    const { versions } = JSON.parse(out) as { versions: { version: number }[] }
    expect((await secrets('', 'destroy', 'keeper/db', String(versions[0]?.version))).err).toContain(
      'instances of keeper run with version',
    )
    expect(await secrets('', 'delete', 'keeper/db')).toMatchObject({ code: 0 })
    expect(await laptop.json('restart', 'keeper')).toMatchObject({ exit: 0 })
    expect((await on('a')).database).toBe('third')
  })

  it('stay with a stopped service, so that it starts', async () => {
    expect(await laptop.json('stop', 'keeper')).toMatchObject({ exit: 0 })
    expect(await laptop.json('start', 'keeper')).toMatchObject({ exit: 0 })
    expect((await on('a')).database).toBe('third')
  })

  it('are there for one-off commands and in a shell of an instance', async () => {
    const shown = ['run', 'keeper', '--', 'sh', '-c', 'cat $CREDENTIALS_DIRECTORY/database; echo " $MAIL_PASSWORD"']
    expect((await laptop.run(...shown)).out.join('\n')).toContain('third letters')
  })
})
