import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { ApiClient } from '../../src/api/client.ts'
import { Contexts } from '../../src/cli/contexts.ts'
import { foldersOf } from '../../src/cli/folders.ts'
import type { BalancerDriver } from '../../src/drivers/balancer/balancer.ts'
import { childHaproxy } from '../../src/drivers/balancer/haproxy/childHaproxy.ts'
import { createHaproxyBalancer } from '../../src/drivers/balancer/haproxy/haproxyBalancer.ts'
import { LabAuthority, whyNoHaproxy } from '../../src/drivers/balancer/haproxy/haproxyLab.ts'
import { MasterSocket } from '../../src/drivers/balancer/haproxy/masterSocket.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { freePort } from '../../src/lib/freePort.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { Assembled } from './assembled.ts'

const { count: requests } = randomRun('recorded', { check: 20_000, soak: 100_000 })
const failing = 137
const whyNot = whyNoHaproxy()

/** Answers with the status that the path names; `/hang` waits until somebody asks for `/let-go`. */
const program = `import { createServer } from 'node:http'
const hanging = []
const server = createServer((request, response) => {
  const path = request.url.slice(1)
  if (path === 'hang') return hanging.push(response)
  if (path === 'let-go') for (const one of hanging) one.end('let go')
  response.writeHead(Number(path) || 200).end()
}).listen(process.env.PORT, process.env.HOST)
process.on('SIGTERM', () => server.close())
`

const definition = (version: number): string => `service: shop
run: [node, server.mjs]
env: { VERSION: "${version}" }
rollout: { drain: 10m }
routes: [{ path: / }, { host: v${version}.example.com, path: / }]
`

let pair: Assembled | null = null
const folder = mkdtempSync(join(tmpdir(), 'rec-'))
afterEach(async () => {
  await pair?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const masterOf = (machine: string): string => join(folder, machine, 'master.sock')

/** Takes another port for forwarding if another process took the first one before HAProxy did. */
async function haproxy(about: { machine: string; data: string; httpPort: number }, tries = 5): Promise<BalancerDriver> {
  const { machine, data, httpPort } = about
  const balancer = createHaproxyBalancer({
    ...{ dir: join(data, 'haproxy'), runDir: join(folder, machine), host: '127.0.0.1', httpPort, machine },
    forward: { host: '127.0.0.1', port: await freePort() },
    tls: new LabAuthority(folder, 'cluster').firstOf(machine),
    ...{ clock: systemClock, process: childHaproxy({ master: masterOf(machine) }), limits: { connections: 1_000 } },
  })
  try {
    await balancer.listen()
    return balancer
  } catch (error) {
    if (tries === 1 || !String(error).includes('Address already in use')) throw error
    return haproxy(about, tries - 1)
  }
}

function push(cluster: Assembled, version: number): Promise<Pushed> {
  const service = join(cluster.folder, 'services/shop')
  mkdirSync(service, { recursive: true })
  writeFileSync(join(service, 'server.mjs'), program)
  writeFileSync(join(service, 'tandem.yaml'), definition(version))
  return cluster.json<Pushed>('push', service)
}

const status = (url: string, agent?: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, agent ? { agent } : {}, (response) =>
      response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    ).on('error', reject)
  })

/** Sends the requests to both entries over kept-alive connections; every so often one that fails. */
async function send(entries: string[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const left = Array.from({ length: requests }, (_, index) => {
    const every = Math.floor(requests / failing)
    return index % every === 0 && index < failing * every ? 500 : 200
  })
  const got: number[] = []
  const client = async (_: unknown, number: number): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      got.push(await status(`${entries[number % entries.length]}/${next}`, agent))
    }
  }
  await Promise.all(Array.from({ length: 8 }, client))
  agent.destroy()
  return got
}

it(`the record of a rollout adds up exactly: ${requests} requests, ${failing} of them answered 500, HAProxy reloads`, async ({
  skip,
}) => {
  skip(whyNot !== null, whyNot ?? '')
  pair = await Assembled.start({ balancer: (about) => haproxy(about) })
  const cluster = pair
  const client = new ApiClient(new Contexts(foldersOf(cluster.env).config).get('local'))
  expect(await push(cluster, 1)).toMatchObject({ exit: 0 })
  const entries = Object.values(cluster.entries)
  const workerOf = async (machine: string): Promise<number | null> =>
    (await new MasterSocket(masterOf(machine), 5_000).workers()).current
  const workers = [await workerOf('a'), await workerOf('b')]
  // The old instance of b finishes this request before the rollout can end.
  const hanging = status(`${entries[1]}/hang`)
  const { services: before } = await client.call('status', {})
  const old = before[0]?.instances.find(({ machine }) => machine === 'b')
  // A reading from before the rollout is where the record begins.
  await expect.poll(async () => (await client.call('numbers', {})).services.length).toBe(2)
  const pushing = push(cluster, 2)
  await expect.poll(async () => (await client.call('status', {})).services[0]?.rollout?.state).toBe('running')
  const got = await send(entries)
  const unexpected = got.filter((one) => one !== 200 && one !== 500)
  expect([got.length, got.filter((one) => one === 500).length, unexpected]).toEqual([requests, failing, []])
  expect(await status(`http://127.0.0.1:${old?.port}/let-go`)).toBe(200)
  expect(await hanging).toBe(200)
  const { exit, rollout } = await pushing
  expect([exit, rollout?.state]).toEqual([0, 'completed'])
  expect([await workerOf('a'), await workerOf('b')].some((one) => workers.includes(one))).toBe(false)
  const params = { id: rollout?.id ?? '' }
  const answers = async (): Promise<number[]> => {
    const { instances } = await client.call('rolloutNumbers', { params })
    return instances.reduce((sum, one) => sum.map((count, group) => count + (one.answers[group] ?? 0)), [0, 0, 0, 0, 0])
  }
  await expect.poll(answers, { timeout: 30_000 }).toEqual([0, requests - failing + 1, 0, 0, failing])
  const record = await client.call('rolloutNumbers', { params })
  expect(record).toMatchObject({ damaged: false, balancers: [] })
  expect(record.instances).toHaveLength(4)
  expect(record.instances.every(({ failed }) => failed === 0)).toBe(true)
})
