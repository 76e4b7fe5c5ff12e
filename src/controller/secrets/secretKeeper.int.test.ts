import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it, onTestFinished } from 'vitest'
import type { ClusterDefinition } from '../../definitions/cluster.ts'
import { keyId, newKey, sealValue } from '../../sealing/sealed.ts'
import { openDatabase } from '../../store/database.ts'
import { SqliteEventLog } from '../../store/sqliteEventLog.ts'
import { SqliteSecretStore } from '../../store/sqliteSecretStore.ts'
import { systemClock } from '../../lib/clock.ts'
import { Controller } from '../controller.ts'
import { foldLog } from '../foldLog.ts'
import { makeFolder, quiet } from '../testing/given.ts'
import { Backups } from './backup.ts'
import { rootKeysIn } from './rootKeys.ts'
import { SecretKeeper } from './secretKeeper.ts'

const config = { cluster: 'local', laptop: true }
const path = 'shop/db'
const put = (text: string, over: { field?: string; cas?: number } = {}) => ({
  ...{ path, fields: { [over.field ?? 'password']: Buffer.from(text) }, replace: false, reason: null },
  cas: over.cas ?? null,
})

/** A keeper over a database on disk, which a second one can continue after a crash. */
async function lab() {
  const folder = makeFolder('keeper')
  const data = join(folder.path, 'data')
  mkdirSync(data)
  const database = openDatabase(join(data, 'controller.db'))
  onTestFinished(() => {
    if (database.isOpen) database.close()
    folder.remove()
  })
  const store = new SqliteSecretStore(database)
  const rewrap = store.rewrap.bind(store)
  store.rewrap = async (keys) => (failing.rewrap ? Promise.reject(new Error('no rewrap')) : rewrap(keys))
  const failing = { append: false, rewrap: false }
  const started = async () => {
    const log = new SqliteEventLog(database)
    const append = log.append.bind(log)
    log.append = async (...args) => (failing.append ? Promise.reject(new Error('no append')) : append(...args))
    const { fold } = await foldLog(log, config, null)
    let ids = 0
    const about = { config, log, fold, clock: systemClock, logger: quiet, version: '0', newId: () => `id${++ids}` }
    const controller = new Controller(about)
    await controller.lead()
    // It closes the database.
    onTestFinished(() => (database.isOpen ? controller.close() : undefined))
    return { controller, keeper: new SecretKeeper({ controller, store, rootKeys: rootKeysIn(data) }) }
  }
  const fill = (isFull: boolean): void => {
    const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
    database.exec(`PRAGMA max_page_count=${isFull ? pages : 1_000_000}`)
  }
  return { started, store, fill, failing, data }
}

const textOf = async (keeper: SecretKeeper, version?: number): Promise<Record<string, string>> => {
  const { fields } = await keeper.read(path, version)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.toString()]))
}

it('puts at the same moment each make a version, and none loses the field of another', async () => {
  const { keeper } = await (await lab()).started()
  const stored = await Promise.all(['a', 'b', 'c', 'd'].map((field) => keeper.put(put(field, { field }), 'test')))
  expect(stored.map(({ version }) => version)).toEqual([1, 2, 3, 4])
  expect(await textOf(keeper)).toEqual({ a: 'a', b: 'b', c: 'c', d: 'd' })
  const once = await Promise.allSettled([1, 2, 3].map((text) => keeper.put(put(`x${text}`, { cas: 4 }), 'test')))
  expect(once.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
})

it('a value without its event, as a crash leaves it, is replaced by the next version', async () => {
  const { started, store } = await lab()
  const before = await started()
  await before.keeper.put(put('one'), 'test')
  const lost = newKey()
  await store.put({ path, version: 2, ...sealValue(lost, `local ${path} 2`, Buffer.from('{}')) })
  const { keeper } = await started()
  expect(await textOf(keeper)).toEqual({ password: 'one' })
  await expect(keeper.read(path, 2)).rejects.toMatchObject({ code: 'E_NO_SUCH_SECRET' })
  expect(await keeper.put(put('two'), 'test')).toEqual({ version: 2, changed: true })
  expect(await textOf(keeper)).toEqual({ password: 'two' })
  expect((await store.keys()).map(({ root }) => root)).not.toContain(keyId(lost))
})

it('a value that was put in the place of another one, or changed, is refused', async () => {
  const { started, store } = await lab()
  const { keeper } = await started()
  await keeper.put(put('one'), 'test')
  await keeper.put(put('two'), 'test')
  const one = await store.get(path, 1)
  if (one) await store.put({ ...one, version: 2 })
  await expect(keeper.read(path)).rejects.toMatchObject({ code: 'E_SECRET_LOST', message: /was changed/ })
  expect(await textOf(keeper, 1)).toEqual({ password: 'one' })
})

it('on a full disk a put changes nothing, and works once there is room', async () => {
  const { started, fill } = await lab()
  const { keeper, controller } = await started()
  await keeper.put(put('one'), 'test')
  const { position } = controller.state
  fill(true)
  const large = put('x'.repeat(60_000))
  await expect(keeper.put(large, 'test')).rejects.toMatchObject({ code: 'E_LOG_UNWRITABLE' })
  expect([controller.state.position, await textOf(keeper)]).toEqual([position, { password: 'one' }])
  fill(false)
  expect(await keeper.put(large, 'test')).toEqual({ version: 2, changed: true })
})

it('rekey while others put and read: every value opens afterwards', async () => {
  const { keeper } = await (await lab()).started()
  for (let many = 0; many < 20; many++) await keeper.put(put(`before ${many}`, { field: `f${many}` }), 'test')
  const work = Array.from({ length: 20 }, (_, at) => keeper.put(put(`during ${at}`, { field: `g${at}` }), 'test'))
  await Promise.all([...work, keeper.rekey([], 'test'), textOf(keeper, 3), keeper.rekey([], 'test')])
  expect(Object.keys(await textOf(keeper))).toHaveLength(40)
  for (let version = 1; version <= 40; version++) await keeper.read(path, version)
})

it('replacements of the root key that fail at any step, one after the other, lose no value', async () => {
  const { started, failing } = await lab()
  const { keeper } = await started()
  await keeper.put(put('one'), 'test')
  failing.append = true
  await expect(keeper.rekey([], 'test')).rejects.toThrow('no append')
  expect(await textOf(keeper)).toEqual({ password: 'one' })
  failing.append = false
  failing.rewrap = true
  await expect(keeper.rekey([], 'test')).rejects.toThrow('no rewrap')
  // As after a crash: only the keys on disk are left.
  const again = (await started()).keeper
  expect(await textOf(again)).toEqual({ password: 'one' })
  failing.rewrap = false
  await again.rekey([], 'test')
  expect(await textOf((await started()).keeper)).toEqual({ password: 'one' })
})

it('one backup is sent at a time, and one that could not begin hinders no other', async () => {
  const { started, data } = await lab()
  const { controller } = await started()
  const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
  const recovery = [await identityToRecipient(await generateIdentity())]
  const cluster: ClusterDefinition = {
    ...{ cluster: 'local', controllers: ['127.0.0.1:7480'], machines: { a: { address: '10.0.0.11', drivers } } },
    ...{ entry: { http: 80, https: 443, certificates: null, trustedProxies: [] }, addresses: [], advert: 100, drivers },
    recovery,
  }
  await controller.execute({ type: 'ApplyCluster', cluster, force: false })
  const copies: ((error: Error) => void)[] = []
  const copyDatabase = (): Promise<void> => new Promise((_, reject) => copies.push(reject))
  const backups = new Backups({ controller, logger: quiet, data, rootKeys: rootKeysIn(data), copyDatabase })
  const first = backups.stream('test')
  await expect(backups.stream('test')).rejects.toMatchObject({ code: 'E_BACKUP_RUNNING' })
  copies[0]?.(new Error('no room'))
  await expect(first).rejects.toThrow('no room')
  const next = backups.stream('test')
  expect(copies).toHaveLength(2)
  copies[1]?.(new Error('no room'))
  await expect(next).rejects.toThrow('no room')
})
