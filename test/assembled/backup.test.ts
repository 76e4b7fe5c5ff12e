import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it, onTestFinished } from 'vitest'
import { ApiClient } from '../../src/api/client.ts'
import { ClusterAuthority } from '../../src/controller/clusterAuthority.ts'
import { startController } from '../../src/controller/startController.ts'
import { makeFolder, quiet } from '../../src/controller/testing/given.ts'
import type { ClusterDefinition } from '../../src/definitions/cluster.ts'
import { restoreController } from '../../src/installation/restoreController.ts'
import { DirectoryStore } from '../../src/releases/directoryStore.ts'

const token = 'tdm_operator-of-this-test'
const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const

/** A controller of a cluster of servers, over this data folder. */
async function controllerOn(data: string) {
  const running = await startController({
    ...{ config: { cluster: 'shop', laptop: false }, data, host: '127.0.0.1', port: 0, version: '0' },
    ...{ logger: quiet, storeCapBytes: null, store: await DirectoryStore.open(join(data, 'releases')) },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    admit: [{ token, identity: { role: 'operator', machine: null, name: 'test' } }],
  })
  const authority = readFileSync(join(data, 'authority/certificate.pem'), 'utf8')
  return { running, client: new ApiClient({ url: running.url, token, trust: () => ({ authority }) }) }
}

async function lab() {
  const folder = makeFolder('backup')
  onTestFinished(() => folder.remove())
  const [data, identity, file] = ['data', 'recovery.txt', 'backup.age'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(data)
  await ClusterAuthority.create(data, { cluster: 'shop', addresses: ['127.0.0.1'], now: Date.now() })
  const key = await generateIdentity()
  writeFileSync(identity, `# created by age-keygen\n${key}\n`)
  const cluster: ClusterDefinition = {
    ...{ cluster: 'shop', controllers: ['127.0.0.1:7480'], machines: { a: { address: '10.0.0.11', drivers } } },
    ...{ entry: { http: 80, https: 443, certificates: null, trustedProxies: [] }, addresses: [], advert: 100, drivers },
    recovery: [await identityToRecipient(key)],
  }
  return { folder: folder.path, data, identity, file, cluster }
}

const value = Buffer.from('hunter2').toString('base64')
const put = { params: { path: 'shop/db' }, body: { fields: { password: value } } }

it('a controller whose disk is lost comes back from a backup, with its authority and every secret', async () => {
  const { data, identity, file, cluster, folder } = await lab()
  const { running, client } = await controllerOn(data)
  await expect(client.call('putSecret', put)).rejects.toMatchObject({ code: 'E_NO_RECOVERY' })
  await expect(client.raw('GET', '/secrets-backup')).rejects.toMatchObject({ code: 'E_NO_RECOVERY' })
  await client.call('applyCluster', { body: { cluster } })
  expect(await client.call('putSecret', put)).toMatchObject({ version: 1, changed: true })
  const answer = await client.raw('GET', '/secrets-backup')
  writeFileSync(file, Buffer.concat(await Array.fromAsync(answer.body)))
  await expect.poll(() => readdirSync(data).filter((name) => name.startsWith('backup-'))).toEqual([])
  const authority = readFileSync(join(data, 'authority/certificate.pem'), 'utf8')
  await expect(restoreController({ file, identity, data })).rejects.toThrow('is not empty')
  await running.close()
  rmSync(data, { recursive: true })

  // A backup that was cut off leaves nothing behind.
  const part = join(folder, 'part.age')
  writeFileSync(part, readFileSync(file).subarray(0, -1_000))
  await expect(restoreController({ file: part, identity, data })).rejects.toMatchObject({ code: 'E_BACKUP' })
  expect(readdirSync(folder).filter((name) => name.startsWith('data'))).toEqual([])

  const { cluster: name, words } = await restoreController({ file, identity, data })
  expect([name, words.slice(-2)]).toEqual(['shop', ['--data', data]])
  expect([statSync(data).mode & 0o777, statSync(join(data, 'root-key')).mode & 0o777]).toEqual([0o700, 0o600])
  const again = await controllerOn(data)
  onTestFinished(() => again.running.close())
  expect(readFileSync(join(data, 'authority/certificate.pem'), 'utf8')).toBe(authority)
  const read = await again.client.call('secretValue', { params: { path: 'shop/db' } })
  expect(read.fields).toEqual({ password: value })
})
