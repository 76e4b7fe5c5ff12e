import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it, onTestFinished } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import type { ClusterDefinition } from '../../definitions/cluster.ts'
import { DirectoryStore } from '../../releases/directoryStore.ts'
import { startController } from '../startController.ts'
import { makeFolder, quiet } from '../testing/given.ts'

const token = 'tdm_operator-of-this-test'
const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
const value = Buffer.from('hunter2').toString('base64')
const put = { params: { path: 'shop/db' }, body: { fields: { password: value } } }
const get = { params: { path: 'shop/db' } }

/** A controller of a cluster of servers that can be restarted, and the people who hold shares. */
async function lab(many = 3) {
  const folder = makeFolder('shares')
  onTestFinished(() => folder.remove())
  const identities = await Promise.all(Array.from({ length: many }, () => generateIdentity()))
  const holders = await Promise.all(identities.map(identityToRecipient))
  const start = async () =>
    startController({
      ...{ config: { cluster: 'shop', laptop: false }, data: folder.path, host: '127.0.0.1', port: 0, version: '0' },
      ...{ logger: quiet, storeCapBytes: null, store: await DirectoryStore.open(join(folder.path, 'releases')) },
      examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
      admit: [{ token, identity: { role: 'operator', machine: null, name: 'test' } }],
    })
  let running = await start()
  onTestFinished(() => running.close())
  const client = (): ApiClient => new ApiClient({ url: running.url, token, trust: () => null })
  const restart = async (): Promise<void> => {
    await running.close()
    running = await start()
  }
  const apply = (seal?: ClusterDefinition['seal']) =>
    client().call('applyCluster', {
      body: {
        cluster: {
          ...{ cluster: 'shop', controllers: ['127.0.0.1:7480'], machines: { a: { address: '10.0.0.11', drivers } } },
          ...{ entry: { http: 80, https: 443, certificates: null, trustedProxies: [] }, addresses: [] },
          ...{ advert: 100, drivers, recovery: [holders[0] ?? ''], ...(seal ? { seal } : {}) },
        },
      },
    })
  const made = async (first = false): Promise<string[]> => {
    const { shares } = await client().call('rekeySecrets', { body: { first, holders } })
    return Promise.all(
      shares.map(async (share, at) => {
        const decrypter = new Decrypter()
        decrypter.addIdentity(identities[at] ?? '')
        return decrypter.decrypt(armor.decode(share), 'text')
      }),
    )
  }
  const unseal = (share: string | undefined) => client().call('unsealSecrets', { body: { share: share ?? '' } })
  return { folder: folder.path, holders, client, restart, apply, made, unseal }
}

const seal = { shares: 3, threshold: 2 }

it('a root key in shares is used once enough were entered, lies on no disk, and opens after a restart only by shares', async () => {
  const { folder, client, apply, made, unseal, restart } = await lab()
  await apply(seal)
  await expect(client().call('putSecret', put)).rejects.toMatchObject({ code: 'E_SEALED' })
  const [one, two, three] = await made(true)
  await expect(made(true)).rejects.toThrow('there is a root key already')
  await expect(client().call('putSecret', put)).rejects.toThrow('0 of 2 shares were entered')
  expect(await unseal(two)).toEqual({ entered: 1, needed: 2, opened: false })
  await expect(unseal(two)).rejects.toThrow('share 2 was given already')
  await expect(unseal(one?.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).rejects.toThrow('typing error')
  expect(await unseal(one)).toEqual({ entered: 2, needed: 2, opened: true })
  expect(await client().call('putSecret', put)).toMatchObject({ version: 1 })
  expect(existsSync(join(folder, 'root-key'))).toBe(false)

  await restart()
  await expect(client().call('secretValue', get)).rejects.toMatchObject({ code: 'E_SEALED' })
  // Everything that needs no value goes on.
  expect(await client().call('secrets', {})).toMatchObject({ secrets: [{ path: 'shop/db' }] })
  expect(await client().call('secretsStatus', {})).toMatchObject({ sealed: /0 of 2/, shares: { needed: 2, of: 3 } })
  await unseal(three)
  await unseal(one)
  expect((await client().call('secretValue', get)).fields).toEqual({ password: value })
  await client().call('sealSecrets', {})
  await expect(client().call('secretValue', get)).rejects.toMatchObject({ code: 'E_SEALED' })
})

it('a key that is kept here moves into shares and back, and no value is lost when nobody enters the new ones', async () => {
  const { client, apply, made, unseal, restart, holders } = await lab()
  await apply()
  await client().call('putSecret', put)
  await expect(client().call('sealSecrets', {})).rejects.toThrow('cannot be forgotten')
  await expect(client().call('rekeySecrets', { body: { holders } })).rejects.toThrow('into no shares')
  await apply(seal)
  await expect(client().call('rekeySecrets', { body: { holders: holders.slice(1) } })).rejects.toThrow(
    'wants 3 different holders; 2 were given',
  )
  const lost = await made()
  await restart()
  expect((await client().call('secretValue', get)).fields).toEqual({ password: value })
  const shares = await made()
  await expect(unseal(lost[0])).rejects.toThrow('belongs to the set')
  await unseal(shares[0])
  await unseal(shares[2])
  await restart()
  await expect(client().call('secretValue', get)).rejects.toMatchObject({ code: 'E_SEALED' })
  await apply()
  await expect(client().call('rekeySecrets', { body: {} })).rejects.toMatchObject({ code: 'E_SEALED' })
  await unseal(shares[1])
  await unseal(shares[2])
  await client().call('rekeySecrets', { body: {} })
  await restart()
  expect((await client().call('secretValue', get)).fields).toEqual({ password: value })
})

it('more shares than there are can never open a key', async () => {
  const { apply, made } = await lab()
  await apply({ shares: 3, threshold: 4 })
  await expect(made(true)).rejects.toThrow('4 of 3 shares can never open the root key')
})

it('a mistyped public key of a holder is refused before a key is made', async () => {
  const { apply, client, holders } = await lab()
  await apply(seal)
  const mistyped = holders.with(1, holders[1]?.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')) ?? '')
  await expect(client().call('rekeySecrets', { body: { holders: mistyped } })).rejects.toThrow(
    'is no public key of age',
  )
  await expect(client().call('putSecret', put)).rejects.toThrow('there is no root key yet')
})

it('shares of another cluster say so', async () => {
  const [here, elsewhere] = [await lab(), await lab()]
  await here.apply(seal)
  await elsewhere.apply(seal)
  await here.made(true)
  const [foreign] = await elsewhere.made(true)
  await expect(here.unseal(foreign)).rejects.toMatchObject({ code: 'E_SHARE', message: /belongs to the set/ })
})
