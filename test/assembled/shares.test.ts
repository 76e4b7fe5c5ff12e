import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { newKey } from '../../src/sealing/sealed.ts'
import { readShare, splitKey, writeShare } from '../../src/sealing/shares.ts'
import { founded } from './founded.ts'

const opened = async (armored: string, identity: string): Promise<string> => {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  return decrypter.decrypt(armor.decode(armored), 'text')
}

async function lab() {
  const { founder } = await founded()
  const identities = await Promise.all(Array.from({ length: 3 }, () => generateIdentity()))
  const holders = await Promise.all(identities.map(identityToRecipient))
  const file = join(founder.folder, 'cluster.yaml')
  const lines = [
    'cluster: shop',
    'controllers: ["127.0.0.1:7480"]',
    'machines: { a: { address: 10.0.0.11 } }',
    'drivers: { supervisor: process, balancer: embedded, address: none }',
    `recovery: [${holders[0]}]`,
    'seal: { shares: 3, threshold: 2 }',
  ]
  writeFileSync(file, lines.join('\n'))
  expect(await founder.run(['cluster', 'apply', file])).toMatchObject({ exit: 0 })
  const secrets = (...argv: string[]) => founder.run(['secrets', ...argv])
  const unseal = (share: string) => founder.run(['secrets', 'unseal'], {}, share)
  return { founder, identities, holders, secrets, unseal }
}

it('shares on the command line: k open the root key, k - 1 nothing, and a wrong one says why', async () => {
  const { founder, identities, holders, secrets, unseal } = await lab()
  const put = () => founder.run(['secrets', 'put', 'shop/db', 'password=-'], {}, 'hunter2')
  const few = await secrets('init', ...holders.slice(1).flatMap((holder) => ['--holder', holder]))
  expect([few.exit, few.err]).toEqual([2, expect.stringContaining('wants 3 different holders; 2 were given')])
  const none = await put()
  expect([none.exit, none.err]).toEqual([4, expect.stringContaining('tandem secrets init --holder')])

  const made = await secrets('init', ...holders.flatMap((holder) => ['--holder', holder]))
  expect(made.err).toContain('the key is used once 2 holders have entered theirs')
  const printed = made.out.split(/^share \d, for (age1\w+):\n/m).slice(1)
  expect(printed.filter((_, at) => at % 2 === 0)).toEqual(holders)
  const armored = printed.filter((_, at) => at % 2 === 1)
  const shares = await Promise.all(armored.map((one, at) => opened(one.trim(), identities[at] ?? '')))
  const [one = '', two = '', three = ''] = shares
  await expect(opened(armored[0]?.trim() ?? '', identities[1] ?? '')).rejects.toThrow('no identity matched')

  expect(await unseal(`  ${one}\n`)).toMatchObject({
    ...{ exit: 0, out: '1 of 2 shares entered; the key opens with the last one\n' },
  })
  // k - 1 open nothing.
  const before = await put()
  expect([before.exit, before.err]).toEqual([4, expect.stringContaining('1 of 2 shares were entered')])
  const foreign = await splitKey(newKey(), 'shop', { needed: 2, of: 3 })
  const changed = readShare(two)
  changed.payload = Buffer.from(changed.payload).fill(7, 0, 1)
  const wrongs: [share: string, why: string][] = [
    [one, 'share 1 was given already'],
    [two.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 'the share has a typing error'],
    [two.slice(0, -1), 'the share has a typing error'],
    [writeShare(changed), 'share 2 is not the one that was made'],
    [writeShare({ ...readShare(two), index: 3 }), 'share 3 is not the one that was made'],
    [writeShare(foreign.shares[1] ?? changed), `the share belongs to the set ${foreign.set.set}, and the root key to`],
    [armored[1] ?? '', 'this is no share'],
    ['', 'this is no share'],
  ]
  for (const [share, why] of wrongs) {
    const { exit, err } = await unseal(share)
    expect([exit, err], why).toEqual([4, expect.stringContaining(why)])
    // A share is a secret too.
    if (share.length > 100) expect(err).not.toContain(share.slice(40, 60))
  }

  expect((await unseal(three)).out).toBe('the root key is open\n')
  expect((await put()).out).toBe('stored shop/db, version 1\n')
  expect((await secrets('status')).out).toMatch(/^root key: [0-9a-f]{16}, in 3 shares, of which 2 open it$/m)
  expect((await secrets('seal')).out).toContain('sealed; tandem secrets unseal')
  expect((await secrets('status')).out).toMatch(/^! sealed: .*0 of 2 shares were entered$/m)
  expect((await secrets('get', 'shop/db')).err).toContain('E_SEALED')
  await unseal(two)
  await unseal(one)
  expect((await secrets('get', 'shop/db', '--field', 'password')).out).toBe('hunter2')
})
