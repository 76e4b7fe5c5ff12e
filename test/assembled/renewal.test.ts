import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { CertificateKeeper } from '../../src/agent/certificateKeeper.ts'
import { ApiClient } from '../../src/api/client.ts'
import { ClusterAuthority } from '../../src/controller/clusterAuthority.ts'
import { startController } from '../../src/controller/startController.ts'
import { createRequest } from '../../src/identity/authority.ts'
import { certificateFacts } from '../../src/identity/certificate.ts'
import { IdentityFolder } from '../../src/identity/identityFolder.ts'
import { DirectoryStore } from '../../src/releases/directoryStore.ts'

const day = 86_400_000
const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
const logger = pino({ level: 'silent' })

/** A controller that machine `a` joined this many days ago, and the certificate keeper of the machine. */
async function joinedDaysAgo(days: number) {
  mkdirSync(join(import.meta.dirname, '../../tmp'), { recursive: true })
  const root = mkdtempSync(join(import.meta.dirname, '../../tmp/renewal-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  await ClusterAuthority.create(root, { cluster: 'shop', addresses: ['127.0.0.1'], now: Date.now() - days * day })
  const begin = async (port: number) =>
    startController({
      ...{ config: { cluster: 'shop', laptop: false }, data: root, host: '127.0.0.1', port, version: '0', logger },
      examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
      ...{ storeCapBytes: null, store: await DirectoryStore.open(join(root, 'releases')) },
      admit: [{ token: 'tdm_operator', identity: { role: 'operator', machine: null, name: 'test' } }],
    })
  let controller = await begin(0)
  onTestFinished(() => controller.close())
  const authority = ClusterAuthority.open(root)
  if (!authority) throw new Error('no authority was created')
  const people = new ApiClient({
    ...{ url: controller.url, token: 'tdm_operator', trust: () => ({ authority: authority.certificate }) },
  })
  const machines = { a: { address: '127.0.0.1', drivers } }
  const entry = { http: 80, https: 443, certificates: null, trustedProxies: [] }
  const about = { cluster: 'shop', controllers: ['127.0.0.1:1'], machines, entry, addresses: [], drivers }
  await people.call('applyCluster', { body: { cluster: about } })
  const { key, request } = await createRequest('a')
  const certificate = await authority.sign(request, 'a', '127.0.0.1', Date.now() - days * day)
  const folder = new IdentityFolder(join(root, 'machine'))
  folder.write({ key, certificate, authority: authority.certificate })
  let renewals = 0
  const told = Promise.withResolvers<void>()
  const keeper = new CertificateKeeper({
    ...{ folder, logger, clock: systemClock },
    client: () => new ApiClient({ url: controller.url, token: null, trust: () => keeper.identity }),
    renewed: async () => {
      renewals++
      told.resolve()
    },
  })
  onTestFinished(() => keeper.close())
  const restart = async (): Promise<void> => {
    controller = await begin(Number(new URL(controller.url).port))
  }
  return { controller: () => controller, restart, keeper, folder, told: told.promise, renewals: () => renewals }
}

it('a certificate is renewed at half its life, with a new key; a young one is not renewed', async () => {
  const old = await joinedDaysAgo(16)
  const before = old.keeper.identity
  old.keeper.start()
  await old.told
  expect(old.keeper.identity.key).not.toBe(before.key)
  expect(old.folder.read()).toEqual(old.keeper.identity)
  expect(certificateFacts(old.keeper.identity.certificate).notAfter - Date.now()).toBeGreaterThan(29 * day)
  const young = await joinedDaysAgo(14)
  young.keeper.check()
  await young.keeper.close()
  expect(young.renewals()).toBe(0)
})

it("the controller's own certificate is renewed too, at its start", async () => {
  const { controller, keeper } = await joinedDaysAgo(16)
  const { connect } = await import('node:tls')
  const port = Number(new URL(controller().url).port)
  await expect
    .poll(
      () =>
        new Promise<number>((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', ca: keeper.identity.authority }, () => {
            resolve(Date.parse(socket.getPeerCertificate().valid_to) - Date.now())
            socket.destroy()
          })
          socket.on('error', reject)
        }),
    )
    .toBeGreaterThan(29 * day)
})

it('while no controller answers, the old certificate is kept; it is renewed once a controller answers', async () => {
  const { controller, restart, keeper, folder, told, renewals } = await joinedDaysAgo(16)
  await controller().close()
  const before = keeper.identity
  keeper.check()
  await keeper.close()
  expect(renewals()).toBe(0)
  expect(folder.read()).toEqual(before)
  await restart()
  keeper.check()
  await told
  expect(keeper.identity).not.toEqual(before)
})
