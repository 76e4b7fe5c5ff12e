import { connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it, onTestFinished } from 'vitest'
import { ApiClient } from '../api/client.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import { createAuthority, createRequest, signRequest } from '../identity/authority.ts'
import { certificateFacts } from '../identity/certificate.ts'
import { DirectoryStore } from '../releases/directoryStore.ts'
import { ClusterAuthority } from './clusterAuthority.ts'
import { startController } from './startController.ts'
import { aReport, makeFolder, quiet } from './testing/given.ts'

const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
const cluster = (...names: string[]): ClusterDefinition => ({
  cluster: 'shop',
  controllers: ['127.0.0.1:7480'],
  machines: Object.fromEntries(names.map((name, index) => [name, { address: `10.0.0.${11 + index}`, drivers }])),
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  addresses: [],
  advert: 100,
  drivers,
})

interface Shown {
  key: string
  certificate: string
}

/** A controller with an authority, listening with TLS, and the clients to talk to it. */
async function secured() {
  const folder = makeFolder('membership')
  onTestFinished(() => folder.remove())
  await ClusterAuthority.create(folder.path, { cluster: 'shop', addresses: ['127.0.0.1'], now: Date.now() })
  const operator = 'tdm_operator-of-this-test'
  const controller = await startController({
    ...{ config: { cluster: 'shop', laptop: false }, data: folder.path, host: '127.0.0.1', port: 0, version: '0' },
    ...{ logger: quiet, storeCapBytes: null, store: await DirectoryStore.open(join(folder.path, 'releases')) },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    admit: [{ token: operator, identity: { role: 'operator', machine: null, name: 'test' } }],
  })
  onTestFinished(() => controller.close())
  const authority = ClusterAuthority.open(folder.path)
  if (!authority) throw new Error('no authority was made')
  const as = (token: string | null, shown: Partial<Shown> = {}): ApiClient => {
    const trust = { authority: authority.certificate, ...shown }
    return new ApiClient({ url: controller.url, token, trust: () => trust })
  }
  const people = as(operator)
  const joined = async (machine: string): Promise<Shown> => {
    const { token } = await people.call('inviteMachine', { params: { machine } })
    const { key, request } = await createRequest(machine)
    const { certificate } = await as(token).call('join', { body: { request } })
    return { key, certificate }
  }
  const report = (machine: string, shown: Shown | Partial<Shown>, seq = 1): Promise<unknown> =>
    as(null, shown).call('report', { body: aReport({ machine, seq }) })
  return { controller, authority, as, people, joined, report }
}

it('a machine joins once with its token, speaks for itself with its certificate, and renews it', async () => {
  const { people, as, joined, report } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b') } })
  const { token, pin } = await people.call('inviteMachine', { params: { machine: 'a' } })
  expect(pin).toMatch(/^[0-9a-f]{64}$/)
  const { key, request } = await createRequest('whoever')
  await expect(as(token).call('join', { body: { request: 'nonsense' } })).rejects.toMatchObject({ code: 'E_USAGE' })
  const answer = await as(token).call('join', { body: { request } })
  expect(answer).toMatchObject({ machine: 'a', settings: { address: '10.0.0.11', entry: { http: 80 } } })
  const { request: other } = await createRequest('another')
  await expect(as(token).call('join', { body: { request: other } })).rejects.toMatchObject({ code: 'E_JOIN_REFUSED' })
  // The first answer may have been lost on the way: the same request is answered again.
  expect(await as(token).call('join', { body: { request } })).toMatchObject({ machine: 'a' })
  const a = { key, certificate: answer.certificate }
  await report('a', a)
  await expect(report('b', a)).rejects.toMatchObject({ code: 'E_FORBIDDEN' })
  await expect(as(null, a).call('status', {})).rejects.toMatchObject({ code: 'E_FORBIDDEN' })
  const again = await createRequest('a')
  const { certificate } = await as(null, a).call('renew', { body: { request: again.request } })
  expect(certificateFacts(certificate).name).toBe('a')
  await report('a', { key: again.key, certificate }, 2)
  await report('b', await joined('b'))
})

it('a machine that the file does not name cannot join; a new invitation revokes the old one', async () => {
  const { people, as } = await secured()
  const invite = (machine: string) => people.call('inviteMachine', { params: { machine } })
  await expect(invite('a')).rejects.toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
  await people.call('applyCluster', { body: { cluster: cluster('a') } })
  await expect(invite('b')).rejects.toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
  const [old, fresh] = [await invite('a'), await invite('a')]
  const { request } = await createRequest('a')
  await expect(as(old.token).call('join', { body: { request } })).rejects.toMatchObject({ code: 'E_JOIN_REFUSED' })
  await as(fresh.token).call('join', { body: { request } })
})

it('no caller speaks for a machine without a certificate, or with one that is foreign, expired or made up', async () => {
  const { people, authority, report } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a') } })
  await expect(report('a', {})).rejects.toMatchObject({ code: 'E_UNAUTHORIZED' })
  const subject = { role: 'machine', name: 'a', addresses: ['10.0.0.11'] } as const
  const { key, request } = await createRequest('a')
  const foreign = await signRequest(await createAuthority('shop', 0), request, subject, { now: Date.now(), days: 30 })
  await expect(report('a', { key, certificate: foreign })).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  const old = await authority.sign(request, 'a', '10.0.0.11', Date.now() - 40 * 86_400_000)
  await expect(report('a', { key, certificate: old })).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  const unknown = await authority.sign(request, 'zz', '10.0.0.11', Date.now())
  await expect(report('zz', { key, certificate: unknown })).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
})

it('removing a machine cuts its connections and revokes its certificate, also when the name is used again', async () => {
  const { controller, authority, people, joined, report } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b') } })
  const [a, b] = [await joined('a'), await joined('b')]
  await report('a', a)
  await report('b', b)
  const socket = await open(controller.url, { ...b, authority: authority.certificate })
  const closed = once(socket, 'close')
  await people.call('applyCluster', { body: { cluster: cluster('a') } })
  await closed
  await expect(report('b', b, 2)).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  const { machines } = await people.call('status', {})
  expect(machines.map(({ name }) => name)).toEqual(['a'])
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b') } })
  await expect(report('b', b, 3)).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  await report('b', await joined('b'), 4)
})

it('a machine that joined and never reported is removed like any other: its certificate and its token are revoked', async () => {
  const { people, as, joined, report } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b', 'c') } })
  const b = await joined('b')
  const { token } = await people.call('inviteMachine', { params: { machine: 'c' } })
  await people.call('applyCluster', { body: { cluster: cluster('a') } })
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b', 'c') } })
  await expect(report('b', b)).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  const { request } = await createRequest('c')
  await expect(as(token).call('join', { body: { request } })).rejects.toMatchObject({ code: 'E_JOIN_REFUSED' })
  await report('b', await joined('b'))
})

it('the token of a machine that does not or no longer belong to the cluster is refused, and its stream is cut', async () => {
  const { people, as } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b') } })
  const agent = async (machine: string): Promise<ApiClient> =>
    as((await people.call('createToken', { body: { role: 'agent', machine, name: machine } })).token)
  const [b, z] = [await agent('b'), await agent('z')]
  const report = (by: ApiClient, machine: string, seq: number) => by.call('report', { body: aReport({ machine, seq }) })
  await expect(report(z, 'z', 1)).rejects.toMatchObject({ code: 'E_FORBIDDEN' })
  await report(b, 'b', 1)
  const given = b.rawStream('/agent/stream', {})[Symbol.asyncIterator]()
  expect((await given.next()).value).toMatchObject({ event: 'desired' })
  await people.call('applyCluster', { body: { cluster: cluster('a') } })
  await expect(given.next()).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  await expect(report(b, 'b', 2)).rejects.toMatchObject({ code: 'E_FORBIDDEN' })
})

it('a file of another cluster is refused; a file without changes changes nothing', async () => {
  const { people } = await secured()
  const other = { ...cluster('a'), cluster: 'other' }
  await expect(people.call('applyCluster', { body: { cluster: other } })).rejects.toMatchObject({
    code: 'E_OTHER_CLUSTER',
  })
  const { position } = await people.call('applyCluster', { body: { cluster: cluster('a') } })
  expect(await people.call('applyCluster', { body: { cluster: cluster('a') } })).toEqual({ position })
  expect((await people.call('cluster', {})).cluster).toEqual({ ...cluster('a'), firewall: { mode: 'enforce' } })
})

async function open(url: string, shown: Shown & { authority: string }): Promise<TLSSocket> {
  const { port } = new URL(url)
  const { key, certificate, authority } = shown
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca: authority, key, cert: certificate })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.resume()
  return socket
}

it('takes the key of a helper from the first who shows a join token, and from a machine that joined only once', async () => {
  const { people, as } = await secured()
  await people.call('applyCluster', { body: { cluster: cluster('a', 'b') } })
  const invited = async () => (await people.call('inviteMachine', { params: { machine: 'a' } })).token
  const [own, other] = [
    await identityToRecipient(await generateIdentity()),
    await identityToRecipient(await generateIdentity()),
  ]
  const registers = (token: string, recipient: string, hasJoined: boolean) =>
    as(token).call('registerHelperKey', { body: { recipient, hasJoined } })
  const [refused, seen] = [{ code: 'E_JOIN_REFUSED' }, { code: 'E_TOKEN_SEEN' }]

  const token = await invited()
  expect(await registers(token, own, false)).toEqual({ machine: 'a', signs: true })
  await expect(registers(token, other, false)).rejects.toMatchObject(seen)
  const { request } = await createRequest('machine')
  await as(token).call('join', { body: { request } })
  // As a repeated command does whose first answer got lost.
  expect(await registers(token, own, false)).toMatchObject({ machine: 'a' })
  expect(await as(token).call('join', { body: { request } })).toMatchObject({ machine: 'a' })

  const again = await invited()
  await registers(again, own, true)
  expect(await registers(again, own, true)).toMatchObject({ machine: 'a' }) // the first answer may have got lost
  await expect(registers(again, other, true)).rejects.toMatchObject(seen)
  await expect(as(again).call('join', { body: { request } })).rejects.toMatchObject(refused)
})
