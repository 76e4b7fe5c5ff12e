/**
 * CPU time per request of the embedded balancer, compared with a plain `node:http` reverse proxy. Run it by
 * `make bench-balancer`. The proxies, the service behind them and the load run in separate processes. Rounds alternate
 * between the two proxies, so that other work of the machine affects both. Seconds per round and number of rounds:
 * `node bench/balancer.ts 2 7`.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createEmbeddedBalancer } from '../src/drivers/balancer/embeddedBalancer.ts'
import { systemClock } from '../src/lib/clock.ts'

const connections = 32
const answerBytes = 1024
const kinds = ['plain', 'embedded'] as const
const scenarios = { 'GET, 1 KiB back': 0, 'POST 10 KiB, 1 KiB back': 10 * 1024 }

interface Round {
  cpuUs: number
  perSecond: number
  p50Ms: number
  p99Ms: number
}

interface Load {
  requests: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

const [first = '2', second = '7', third = '0'] = process.argv.slice(2)
switch (first) {
  case 'service':
    await startService()
    break
  case 'plain':
    await startPlain(Number(second))
    break
  case 'embedded':
    await startEmbedded(Number(second))
    break
  case 'load':
    await runLoad(Number(second), Number(third), Number(process.argv[5]))
    break
  default:
    await compare(Number(first), Number(second))
}

async function compare(seconds: number, rounds: number): Promise<void> {
  const service = await child('service')
  const proxies = { plain: await child('plain', service.port), embedded: await child('embedded', service.port) }
  for (const [name, bodyBytes] of Object.entries(scenarios)) {
    for (const kind of kinds) await round(proxies[kind], 1, bodyBytes) // warms up
    const found: Record<(typeof kinds)[number], Round[]> = { plain: [], embedded: [] }
    for (let i = 0; i < rounds; i += 1) {
      for (const kind of i % 2 === 0 ? kinds : kinds.toReversed()) {
        found[kind].push(await round(proxies[kind], seconds, bodyBytes))
      }
    }
    print(name, found)
  }
  for (const { process } of [service, proxies.plain, proxies.embedded]) process.kill()
}

function print(name: string, found: Record<(typeof kinds)[number], Round[]>): void {
  console.log(`\n${name} (${connections} connections, median of ${found.plain.length} rounds)`)
  console.log('             CPU us/request   requests/s   p50 ms   p99 ms')
  for (const kind of kinds) {
    const of = (key: keyof Round): number => median(found[kind].map((round) => round[key]))
    const cells = [of('cpuUs').toFixed(1), of('perSecond').toFixed(0), of('p50Ms').toFixed(2), of('p99Ms').toFixed(2)]
    console.log(`  ${kind.padEnd(10)}${cells.map((cell, i) => cell.padStart([15, 13, 9, 9][i] ?? 0)).join('')}`)
  }
  const ratios = found.plain.map((plain, i) => (found.embedded[i]?.cpuUs ?? Number.NaN) / plain.cpuUs)
  const sorted = ratios.toSorted((a, b) => a - b)
  const range = `${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)}`
  console.log(`  CPU per request, embedded / plain: ${median(ratios).toFixed(2)} (${range}); the target is at most 2`)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

interface Child {
  process: ChildProcess
  port: number
}

async function child(kind: string, ...args: number[]): Promise<Child> {
  const process = fork(import.meta.filename, [kind, ...args.map(String)])
  const [port] = (await once(process, 'message')) as [number] // the first message is the port
  return { process, port }
}

async function round(proxy: Child, seconds: number, bodyBytes: number): Promise<Round> {
  const before = await cpuUs(proxy)
  const load = fork(import.meta.filename, ['load', ...[proxy.port, seconds, bodyBytes].map(String)])
  const ended = once(load, 'exit').then(() => Promise.reject(new Error('the load ended without a result')))
  ended.catch(() => {}) // it ends after its result, too
  const [result] = (await Promise.race([once(load, 'message'), ended])) as [Load] // the only message of a load
  const spent = (await cpuUs(proxy)) - before
  const { requests, p50Ms, p99Ms } = result
  return { cpuUs: spent / requests, perSecond: requests / result.seconds, p50Ms, p99Ms }
}

async function cpuUs(proxy: Child): Promise<number> {
  proxy.process.send('cpu')
  const [usage] = (await once(proxy.process, 'message')) as [NodeJS.CpuUsage] // the answer to the request above
  return usage.user + usage.system
}

function answerParent(port: number): void {
  process.on('message', () => process.send?.(process.cpuUsage()))
  process.on('disconnect', () => process.exit())
  process.send?.(port)
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // a listening TCP server has an address
}

async function startService(): Promise<void> {
  const body = Buffer.alloc(answerBytes, 'x')
  const headers = { 'content-type': 'text/plain', 'content-length': answerBytes, 'x-request-id': 'bench' }
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, headers).end(body))
  })
  answerParent(await listening(server))
}

async function startPlain(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  answerParent(await listening(server))
}

async function startEmbedded(port: number): Promise<void> {
  const balancer = createEmbeddedBalancer({
    host: '127.0.0.1',
    httpPort: 0,
    forwardPort: 0,
    machine: 'bench',
    clock: systemClock,
  })
  await balancer.listen()
  const route = {
    kind: 'http',
    service: 'bench',
    host: null,
    path: '/',
    bodyBytes: null,
    own: null,
    holdMs: null,
    idleMs: null,
  } as const
  const targets = [{ instance: 'x', port, state: 'active' } as const]
  await balancer.apply({ position: 1, machine: 'bench', routes: [{ ...route, targets, peers: [] }] })
  answerParent(balancer.ports.http)
}

/**
 * Uses raw sockets, with one request at a time on each, because the load must cost little compared with the proxies.
 */
async function runLoad(port: number, seconds: number, bodyBytes: number): Promise<void> {
  const head = `${bodyBytes > 0 ? 'POST' : 'GET'} /path?query=1 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\nAccept: */*\r\n`
  const length = bodyBytes > 0 ? `Content-Length: ${bodyBytes}\r\n` : ''
  const message = Buffer.concat([Buffer.from(`${head}${length}\r\n`), Buffer.alloc(bodyBytes, 'y')])
  const times: number[] = []
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(Array.from({ length: connections }, () => oneConnection(port, message, until, times)))
  const elapsed = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  const at = (part: number): number => times[Math.floor(times.length * part)] ?? Number.NaN
  process.send?.({ requests: times.length, seconds: elapsed, p50Ms: at(0.5), p99Ms: at(0.99) } satisfies Load)
  process.disconnect()
}

function oneConnection(port: number, message: Buffer, until: number, times: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let sentAt = performance.now()
    let missing = -1
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      if (missing < 0) {
        const text = chunk.toString('latin1')
        if (!text.startsWith('HTTP/1.1 200 ')) reject(new Error(`not a 200: ${text.slice(0, 80)}`))
        missing = text.indexOf('\r\n\r\n') + 4 + answerBytes
      }
      missing -= chunk.length
      if (missing > 0) return
      const now = performance.now()
      times.push(now - sentAt)
      if (now >= until) {
        socket.destroy()
        return resolve()
      }
      missing = -1
      sentAt = now
      socket.write(message)
    })
    socket.write(message)
  })
}
