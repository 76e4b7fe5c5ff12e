import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { ApiClient } from '../src/api/client.ts'
import type { ClusterDefinition } from '../src/definitions/cluster.ts'
import { startController, type RunningController } from '../src/controller/startController.ts'
import { quiet } from '../src/controller/testing/given.ts'
import { DirectoryStore } from '../src/releases/directoryStore.ts'
import { quantile } from './median.ts'

/*
 * Secrets on a controller with a root key in shares: `get` beside an authenticated `status`, in turn over HTTP; and, after
 * a restart, the time from the last share to the first value. `SECRETS=10000`, CALLS, ROUNDS.
 */

const many = Number(process.env['SECRETS'] ?? 10_000)
const calls = Number(process.env['CALLS'] ?? 2_000)
const rounds = Number(process.env['ROUNDS'] ?? 5)
const atOnce = 20
const [needed, of] = [3, 5]

const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-secrets-'))
const token = 'tdm_operator-of-this-bench'
const show = (what: string, ...values: (string | number)[]): void =>
  console.log(`${what.padEnd(54)}${values.map((value) => String(value).padStart(14)).join('')}`)
const ms = (value: number): string => `${value.toFixed(2)} ms`

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const start = async (): Promise<RunningController> =>
  startController({
    ...{ config: { cluster: 'bench', laptop: false }, data: folder, host: '127.0.0.1', port: 0, version: '0' },
    ...{ logger: quiet, storeCapBytes: null, store: await DirectoryStore.open(join(folder, 'releases')) },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    admit: [{ token, identity: { role: 'operator', machine: null, name: 'bench' } }],
  })

let running = await start()
const client = (): ApiClient => new ApiClient({ url: running.url, token, trust: () => null })
const pathOf = (index: number): string => `service-${index % 100}/secret-${index}`

try {
  const shares = await initialise()
  await fill()
  await compare()
  await unseal(shares)
} finally {
  await running.close()
  rmSync(folder, { recursive: true })
}

/** Makes a root key in shares, and takes it into use. */
async function initialise(): Promise<string[]> {
  const identities = await Promise.all(Array.from({ length: of }, () => generateIdentity()))
  const holders = await Promise.all(identities.map(identityToRecipient))
  const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
  const cluster: ClusterDefinition = {
    ...{ cluster: 'bench', controllers: ['127.0.0.1:7480'], machines: { a: { address: '10.0.0.11', drivers } } },
    ...{ entry: { http: 80, https: 443, certificates: null, trustedProxies: [] }, addresses: [], advert: 100, drivers },
    ...{ recovery: [holders[0] ?? ''], seal: { shares: of, threshold: needed } },
  }
  await client().call('applyCluster', { body: { cluster } })
  const answer = await client().call('rekeySecrets', { body: { first: true, holders } })
  const shares = await Promise.all(
    answer.shares.map(async (share, at) => {
      const decrypter = new Decrypter()
      decrypter.addIdentity(identities[at] ?? '')
      return decrypter.decrypt(armor.decode(share), 'text')
    }),
  )
  for (const share of shares.slice(0, needed)) await client().call('unsealSecrets', { body: { share } })
  return shares
}

async function fill(): Promise<void> {
  const one = client()
  const value = Buffer.from('correct horse battery staple').toString('base64')
  const tookMs = await timed(async () => {
    for (let first = 0; first < many; first += atOnce)
      await Promise.all(
        Array.from({ length: Math.min(atOnce, many - first) }, (_, at) =>
          one.call('putSecret', { params: { path: pathOf(first + at) }, body: { fields: { password: value } } }),
        ),
      )
  })
  show('secrets stored, each with one call', many, `${ms(tookMs / many)} each`)
}

async function compare(): Promise<void> {
  const one = client()
  const took: Record<'get' | 'status', number[]> = { get: [], status: [] }
  for (let call = 0; call < calls; call++) {
    took.status.push(await timed(() => one.call('status', {})))
    const path = pathOf(Math.floor(Math.random() * many))
    took.get.push(await timed(() => one.call('secretValue', { params: { path } })))
  }
  for (const name of ['status', 'get'] as const)
    show(`${name}: median, p99`, ms(quantile(took[name], 0.5)), ms(quantile(took[name], 0.99)))
  show('get over status, p99', (quantile(took.get, 0.99) / quantile(took.status, 0.99)).toFixed(2))
}

async function unseal(shares: readonly string[]): Promise<void> {
  const took: number[] = []
  for (let round = 0; round < rounds; round++) {
    await running.close()
    running = await start()
    const one = client()
    const open = shares.slice(0, needed)
    for (const share of open.slice(0, -1)) await one.call('unsealSecrets', { body: { share } })
    took.push(
      await timed(async () => {
        await one.call('unsealSecrets', { body: { share: open.at(-1) ?? '' } })
        await one.call('secretValue', { params: { path: pathOf(many - 1) } })
      }),
    )
  }
  show('from the last share to a value: median, longest', ms(quantile(took, 0.5)), ms(Math.max(...took)))
}
