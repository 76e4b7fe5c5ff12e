import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority } from '../../identity/authority.ts'
import { contentHash, secretsContent, signOrder, type Order } from '../../identity/order.ts'
import { execOrThrow } from '../../lib/exec.ts'
import { valueId, type GivenSecret } from '../../protocol/secrets.ts'
import { encryptedTo } from '../../sealing/ageFile.ts'
import { AgeKey } from '../../sealing/ageKey.ts'
import { RootFolder } from '../rootFolder.ts'
import { identityOf } from '../testing/performerLab.ts'
import { sealed } from '../credentials.ts'
import { HelperKey } from './helperKey.ts'
import { KeptSecrets } from './keptSecrets.ts'

const why =
  process.getuid?.() === 0 && existsSync('/usr/bin/systemd-creds') ? '' : ' (skipped: needs root and systemd-creds)'

const release = 'f'.repeat(64)
const r1 = { service: 'shop', release, generation: 'r1' }
const db = (version: number): GivenSecret => ({
  ...{ name: 'database', as: 'file', path: 'shop/db', field: 'password', version, position: 100 + version },
})
const mail = (version: number): GivenSecret => ({
  ...{ name: 'MAIL', as: 'env', path: '@shared/smtp', field: 'password', version, position: 200 + version },
})

/** A helper that has joined, and the controller that sends it orders. */
async function given() {
  const data = mkdtempSync(join(tmpdir(), 'tandem-kept-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const authority = await createAuthority('shop', Date.now())
  const folder = new RootFolder(data)
  folder.make({ machine: 'a', cluster: 'shop', address: '10.0.0.11', addresses: [] }, authority.certificate)
  const { key } = await new HelperKey(folder.path).next()
  new HelperKey(folder.path).take()
  const controller = await identityOf(authority, 'controller')
  const helper = () => new KeptSecrets({ folder, key: new HelperKey(folder.path), now: () => Date.now() })
  const order = async (
    generations: Record<string, GivenSecret[]>,
    values: [GivenSecret, string | Buffer][],
    over: Partial<Order> = {},
    { recipient = key.recipient, by = controller } = {},
  ) => {
    const content = JSON.stringify({
      service: 'shop',
      generations: Object.fromEntries(Object.entries(generations).map(([id, secrets]) => [id, { release, secrets }])),
    })
    const plain = JSON.stringify(
      Object.fromEntries(values.map(([one, value]) => [valueId(one), Buffer.from(value).toString('base64')])),
    )
    const sealed = await encryptedTo([recipient], ReadableStream.from([Buffer.from(plain)]))
    const text =
      values.length === 0 ? null : Buffer.from(await new Response(sealed as never).arrayBuffer()).toString('base64')
    const about = { machine: 'a', kind: 'secrets', id: 'shop', attempt: 0, term: 1, position: 10 } as const
    const sha256 = contentHash(secretsContent({ content, values: text }))
    return { order: signOrder({ ...about, sha256, ...over }, by), content, values: text }
  }
  const loaded = (name: string, unit: string): Promise<string> =>
    execOrThrow([
      'systemd-creds',
      `--name=${name}`,
      'decrypt',
      join(folder.path, 'credentials', unit, `${name}.cred`),
      '-',
    ])
  return { folder, helper, order, loaded, authority }
}

describe.skipIf(why)(`secrets at the privileged helper${why}`, () => {
  it('are kept sealed, and linked for a unit under their names', async () => {
    const { folder, helper, order, loaded } = await given()
    const values: [GivenSecret, string][] = [
      [db(1), 'hunter2'],
      [mail(3), 'it"s $5\nand \\more'],
    ]
    await helper().take('shop', await order({ r1: [db(1), mail(3)] }, values))
    expect(helper().has('shop', 'r1')).toBe(true)
    expect(helper().held('shop').toSorted()).toEqual([valueId(mail(3)), valueId(db(1))])
    const links = helper().link('tandem-shop-1.service', r1)
    expect(links.map(({ name }) => name)).toEqual(['database', 'environment'])
    expect(await loaded('database', 'tandem-shop-1.service')).toBe('hunter2')
    expect(await loaded('environment', 'tandem-shop-1.service')).toBe('MAIL="it\\"s \\$5\nand \\\\more"\n')
    const files = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain('hunter2')
    helper().links.remove('tandem-shop-1.service')
    expect(existsSync(join(folder.path, 'credentials/tandem-shop-1.service'))).toBe(false)
  })

  it('are used again by a later order without their values, and removed when none names them', async () => {
    const { folder, helper, order, loaded } = await given()
    await helper().take(
      'shop',
      await order({ r1: [db(1), mail(3)] }, [
        [db(1), 'one'],
        [mail(3), 'letters'],
      ]),
    )
    helper().link('tandem-shop-1.service', r1)
    await helper().take('shop', await order({ r1: [db(1)], r2: [db(2)] }, [[db(2), 'two']], { position: 11 }))
    expect([helper().has('shop', 'r1'), helper().has('shop', 'r2')]).toEqual([true, true])
    await helper().take('shop', await order({ r2: [db(2)] }, [], { position: 12 }))
    expect(helper().held('shop')).toEqual([valueId(db(2))])
    expect(helper().has('shop', 'r1')).toBe(false)
    expect(readdirSync(join(folder.path, 'secrets/shop/values'))).toHaveLength(1)
    // The unit that still runs can be restarted.
    expect(await loaded('database', 'tandem-shop-1.service')).toBe('one')
  })

  it('go when nothing of the service runs here any more, and no earlier order brings them back', async () => {
    const { folder, helper, order } = await given()
    const first = await order({ r1: [db(1)] }, [[db(1), 'one']])
    await helper().take('shop', first)
    expect(helper().services()).toEqual(['shop'])
    await helper().take('shop', await order({}, [], { position: 11 }))
    expect([helper().services(), helper().held('shop')]).toEqual([[], []])
    expect(readdirSync(join(folder.path, 'secrets/shop'))).toEqual(['order.json'])
    await expect(helper().take('shop', first)).rejects.toMatchObject({ code: 'E_ORDER' })
  })

  it('come by no other order than the newest of this controller for this machine', async () => {
    const { helper, order, authority } = await given()
    const generations = { r1: [db(1)] }
    const values: [GivenSecret, string][] = [[db(1), 'one']]
    const good = await order(generations, values)
    const take = (carried: typeof good, service = 'shop') => helper().take(service, carried)
    const refuses = (carried: Promise<void>, message: string | RegExp) =>
      expect(carried).rejects.toMatchObject({ code: 'E_ORDER', message: expect.stringMatching(message) as string })
    await refuses(take({ ...good, order: null as never }), /not signed by the controller/)
    await refuses(take(await order(generations, values, { machine: 'b' })), /meant for machine b/)
    await refuses(take(await order(generations, values, { kind: 'script' })), /meant for a script/)
    await refuses(take(await order(generations, values, { id: 'blog' })), /meant for blog/)
    await refuses(take(good, 'blog'), /meant for shop/)
    const machine = await identityOf(authority, 'machine')
    await refuses(take(await order(generations, values, {}, { by: machine })), /belongs to a machine/)
    const foreign = await identityOf(await createAuthority('shop', Date.now()), 'controller')
    await refuses(take(await order(generations, values, {}, { by: foreign })), /was not issued by this cluster/)
    const more = JSON.stringify({ ...JSON.parse(good.content), service: 'shop', generations: {} })
    await refuses(take({ ...good, content: more }), /meant for another content/)
    await refuses(take(await order(generations, [])), /lacks the value of shop\/db#password@1/)
    await expect(
      take(await order(generations, values, {}, { recipient: (await AgeKey.make()).recipient })),
    ).rejects.toThrow(/no identity matched/)
    expect(helper().has('shop', 'r1')).toBe(false)

    await take(good)
    await take(good)
    await take(await order({ r2: [db(1)] }, [], { position: 11 }))
    await refuses(take(good), /already obeyed a later order/)
    await take(await order({ r3: [db(1)] }, [], { term: 2, position: 5 }))
    await refuses(take(await order({ r2: [db(1)] }, [], { position: 12 })), /already obeyed a later order/)
    expect([helper().has('shop', 'r2'), helper().has('shop', 'r3')]).toEqual([false, true])
  })

  it('refuse a variable that no program could get, and keep what was there', async () => {
    const { helper, order } = await given()
    await helper().take('shop', await order({ r1: [mail(1)] }, [[mail(1), 'good']]))
    const bad = await order({ r2: [mail(2)] }, [[mail(2), Buffer.from([1, 0, 2])]], { position: 11 })
    await expect(helper().take('shop', bad)).rejects.toThrow('the value of MAIL holds a NUL byte')
    expect([helper().has('shop', 'r1'), helper().has('shop', 'r2')]).toEqual([true, false])
  })

  it('do not come without a key that opens: the helper says so, and the next one is another', async () => {
    const { folder, helper, order } = await given()
    const key = new HelperKey(folder.path)
    const before = (await key.read()).recipient
    // Sealed under another name, as with another key of the machine, it does not open.
    writeFileSync(join(folder.path, 'helper-key.cred'), await sealed('another', 'x'))
    await expect(helper().take('shop', await order({ r1: [db(1)] }, [[db(1), 'one']]))).rejects.toThrow(
      'this machine has no key for secrets that opens',
    )
    const begun = await new HelperKey(folder.path).next()
    expect([begun.isNew, begun.key.recipient === before]).toEqual([true, false])
    // A crash after the controller has it: the same one is registered again, and then taken into use.
    const again = await new HelperKey(folder.path).next()
    expect(again.key.recipient).toBe(begun.key.recipient)
    new HelperKey(folder.path).take()
    expect(await new HelperKey(folder.path).next()).toMatchObject({ isNew: false })
  })

  it('come again when a loss of power has damaged the last order', async () => {
    const { folder, helper, order, loaded } = await given()
    await helper().take('shop', await order({ r1: [db(1)] }, [[db(1), 'one']]))
    writeFileSync(join(folder.path, 'secrets/shop/order.json'), '')
    expect([helper().has('shop', 'r1'), helper().held('shop')]).toEqual([false, []])
    await helper().take('shop', await order({ r1: [db(1)] }, [[db(1), 'one']]))
    helper().link('tandem-shop-1.service', r1)
    expect(await loaded('database', 'tandem-shop-1.service')).toBe('one')
  })

  it('that do not open any more are removed by name, and come again', async () => {
    const { folder, helper, order, loaded } = await given()
    const values: [GivenSecret, string][] = [
      [db(1), 'one'],
      [mail(1), 'two'],
    ]
    await helper().take('shop', await order({ r1: [db(1), mail(1)] }, values))
    expect(await helper().removeBroken('shop')).toBeNull()
    helper().link('tandem-shop-1.service', r1)
    writeFileSync(join(folder.path, 'credentials/tandem-shop-1.service/database.cred'), 'damaged')
    expect(await helper().removeBroken('shop')).toMatch(/^database: systemd-creds could not open/)
    expect([helper().has('shop', 'r1'), helper().held('shop')]).toEqual([false, [valueId(db(1)), valueId(mail(1))]])
    await helper().take('shop', await order({ r1: [db(1), mail(1)] }, []))
    helper().link('tandem-shop-1.service', r1)
    expect(await loaded('database', 'tandem-shop-1.service')).toBe('one')
  })

  it('are given to no other release than theirs', async () => {
    const { helper, order } = await given()
    await helper().take('shop', await order({ r1: [db(1)] }, [[db(1), 'one']]))
    const other = { ...r1, release: 'e'.repeat(64) }
    expect(() => helper().link('tandem-shop-1.service', other)).toThrow('with this release')
  })

  it('leave no link behind that belongs to no unit', async () => {
    const { folder, helper, order } = await given()
    await helper().take('shop', await order({ r1: [db(1)] }, [[db(1), 'one']]))
    helper().link('tandem-shop-1.service', r1)
    helper().links.keepOnly(['tandem-shop-2.service'])
    expect(readdirSync(join(folder.path, 'credentials'))).toEqual([])
  })
})
