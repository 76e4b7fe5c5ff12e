import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runHere } from '../../src/cli/testing/testHost.ts'
import { Assembled } from './assembled.ts'

describe('secrets of a laptop', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
  })
  afterAll(() => laptop?.remove())

  /** The command line with this standard input. */
  const piped = (input: string | Buffer, ...argv: string[]) =>
    runHere(['secrets', ...argv], laptop.env, laptop.folder, Readable.from([Buffer.from(input)]))
  const tandem = (...argv: string[]) => piped('', ...argv)
  const read = async (...argv: string[]): Promise<string> => (await tandem('get', ...argv)).out

  it('are stored from standard input and files, byte for byte, and printed the same', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128])
    writeFileSync(join(laptop.folder, 'key'), bytes)
    expect(await piped('hunter2', 'put', 'shop/db', 'password=-', 'key=@key')).toMatchObject({
      ...{ code: 0, out: 'stored shop/db, version 1\n' },
    })
    expect(await read('shop/db', '--field', 'password')).toBe('hunter2')
    const { out } = await tandem('get', 'shop/db', '--json')
    expect(JSON.parse(out)).toEqual({
      ...{ path: 'shop/db', version: 1 },
      fields: { password: 'hunter2', key: { base64: bytes.toString('base64') } },
    })
  })

  it('keep the fields that a new version does not name; the same values make no new version', async () => {
    expect(await piped('ida', 'put', 'shop/db', 'user=-')).toMatchObject({ out: 'stored shop/db, version 2\n' })
    expect(await piped('ida', 'put', 'shop/db', 'user=-')).toMatchObject({
      out: 'shop/db has these values already, in version 2\n',
    })
    expect(await piped('x', 'put', 'shop/db', 'password=-', '--replace', '--reason', 'rotated')).toMatchObject({
      code: 0,
    })
    expect(await read('shop/db', '--format', 'env')).toBe("password='x'\n")
    expect(await read('shop/db', '--version', '2', '--field', 'user')).toBe('ida')
    expect((await tandem('versions', 'shop/db')).out).toMatch(/^3 \(current\) .* password +rotated$/m)
    expect((await tandem('rollback', 'shop/db')).out).toBe('stored shop/db, version 4\n')
    expect(await read('shop/db', '--format', 'yaml')).toMatch(/^password: hunter2$/m)
  })

  it('warn of a final newline, and refuse a value that is an argument', async () => {
    const warned = await piped('it\n', 'put', 'shop/mail', 'password=-')
    expect(warned.err).toContain('the value of password ends with a newline')
    expect(await read('shop/mail', '--field', 'password')).toBe('it\n')
    const refused = await tandem('put', 'shop/mail', 'password=hunter2')
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('must not be an argument')])
    expect((await tandem('put', 'shop/mail', 'password')).err).toContain('nobody can be asked')
    expect((await tandem('put', 'mail', 'password=-')).err).toContain('did you mean SERVICE/mail?')
    expect((await piped(Buffer.alloc(65_537), 'put', 'shop/mail', 'password=-')).err).toContain(
      'has more than 65536 bytes',
    )
  })

  it('are on no disk in plain, and gone for good once destroyed', async () => {
    const needle = `needle-${Math.random()}`
    await piped(needle, 'put', '@shared/one', 'value=-')
    await laptop.stopController()
    const data = join(laptop.folder, 'data/controller')
    const disk = (): Buffer =>
      Buffer.concat(
        readdirSync(data).flatMap((name) =>
          statSync(join(data, name)).isFile() ? readFileSync(join(data, name)) : [],
        ),
      )
    // The search finds what is there: the path stands in the event log.
    expect([disk().includes('@shared/one'), disk().includes(needle)]).toEqual([true, false])
    await laptop.startController()
    expect(await read('@shared/one', '--field', 'value')).toBe(needle)
    expect((await tandem('destroy', '@shared/one', '1')).out).toBe('destroyed 1\n')
    expect((await tandem('get', '@shared/one')).err).toContain('all versions were destroyed')
  })

  it('are read with a new root key after rekey, and with none when its file is gone', async () => {
    const file = join(laptop.folder, 'data/controller/root-key')
    const before = readFileSync(file, 'utf8')
    expect((await tandem('rekey')).out).toBe('the keys of all values are wrapped with the new root key\n')
    const after = readFileSync(file, 'utf8')
    expect(after).not.toContain(before.trim())
    expect(await read('shop/db', '--field', 'user')).toBe('ida')
    await laptop.stopController()
    writeFileSync(file, before)
    await laptop.startController()
    const sealed = await tandem('get', 'shop/db')
    expect([sealed.code, sealed.err]).toEqual([4, expect.stringContaining('is missing on the controller')])
    writeFileSync(file, after)
    await laptop.stopController()
    await laptop.startController()
    expect(await read('shop/db', '--field', 'user')).toBe('ida')
    expect(existsSync(file) && statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(file, 0o600)
  })

  it('are changed in an editor, on a file that is gone afterwards', async () => {
    const edit = (editor: string, ...argv: string[]) =>
      runHere(['secrets', 'edit', ...argv], { ...laptop.env, EDITOR: editor, VISUAL: '' }, laptop.folder)
    const seenFile = join(laptop.folder, 'seen')
    await piped('old', 'put', 'shop/edited', 'word=-')
    expect(await edit(`sh -c 'echo $1 > ${seenFile}; sed -i s/old/new/ $1' -`, 'shop/edited')).toMatchObject({
      ...{ code: 0, out: 'stored shop/edited, version 2\n' },
    })
    expect(await read('shop/edited', '--field', 'word')).toBe('new')
    expect(existsSync(readFileSync(seenFile, 'utf8').trim())).toBe(false)
    expect((await edit('true', 'shop/edited')).out).toBe('nothing was changed\n')
    expect((await edit('false', 'shop/edited')).err).toContain('nothing was stored')
    expect((await edit(`sh -c 'echo word: 7 > $1' -`, 'shop/edited')).err).toContain('put its value in quotes')
    // The parser's own message would show them.
    for (const value of ['*hunter2', '!hunter2 x', '{ hunter2', '"hunter2', '%hunter2', '@hunter2']) {
      writeFileSync(join(laptop.folder, 'written'), `other: 1\nword: ${value}\n`)
      const { code, err } = await edit(`cp ${join(laptop.folder, 'written')}`, 'shop/edited')
      expect([code, err]).toEqual([2, expect.stringMatching(/is not plain YAML: put .* in quotes/)])
      expect(err).not.toContain('hunter2')
    }
    expect((await edit(`sh -c 'printf x > $1' -`, 'shop/edited', '--field', 'word')).code).toBe(0)
    expect(await read('shop/edited', '--field', 'word')).toBe('x')
  })

  it('are granted to other services, deleted and taken back, and listed without values', async () => {
    await piped('s', 'put', '@shared/smtp', 'password=-')
    expect((await tandem('grant', '@shared/smtp', 'shop')).out).toBe('shop may use @shared/smtp\n')
    expect((await tandem('list', '@shared/')).out).toMatch(/^@shared\/smtp +1 .* password +shop$/m)
    expect((await tandem('who', '@shared/smtp')).out).toContain('shop may use @shared/smtp: granted')
    expect((await tandem('status')).out).toMatch(
      /^\d+ secrets, \d+ versions\nroot key: [0-9a-f]{16}\nbackup: never taken; 0 recovery keys\n/,
    )
    expect((await tandem('revoke', '@shared/smtp', 'shop')).code).toBe(0)
    expect((await tandem('delete', '@shared/smtp')).code).toBe(0)
    expect((await tandem('get', '@shared/smtp')).err).toContain('tandem secrets undelete @shared/smtp')
    expect((await tandem('undelete', '@shared/smtp')).code).toBe(0)
    expect(await read('@shared/smtp', '--field', 'password')).toBe('s')
    const { out } = await runHere(['events', '--after', '0', '--json'], laptop.env)
    expect(out).toContain('SecretGranted')
    expect(out).not.toContain('hunter2')
  })

  it('are imported from the files of machines, unless these differ', async () => {
    writeFileSync(join(laptop.folder, 'a.env'), '# of shop\nDB="value-1"\nMAIL=value-2\n')
    writeFileSync(join(laptop.folder, 'b.env'), 'MAIL=value-3\n')
    const differ = await tandem('import', 'shop', 'a.env', 'b.env')
    expect([differ.code, differ.err]).toEqual([
      2,
      expect.stringContaining('the files differ: DB is missing in b.env; MAIL has different values'),
    ])
    expect(differ.err).not.toMatch(/value-/)
    writeFileSync(join(laptop.folder, 'b.env'), "MAIL='value-2'\nDB=value-1\n")
    const { code, out } = await tandem('import', 'shop', 'a.env', 'b.env')
    expect([code, out.split('\n').slice(-4)]).toEqual([
      0,
      ['secrets:', '  DB: { from: env#DB, as: env }', '  MAIL: { from: env#MAIL, as: env }', ''],
    ])
    expect(await read('shop/env', '--field', 'DB')).toBe('value-1')
    expect((await tandem('import', 'shop', 'missing.env')).err).toContain('cannot read')
  })
})
