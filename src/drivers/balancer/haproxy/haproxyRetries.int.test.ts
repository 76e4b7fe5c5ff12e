import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../lib/freePort.ts'
import { ask, type Answer, type BalancerLab, httpRoute, type LabInstance } from '../balancerLab.ts'
import { eachInALab, type HaproxyLab } from './haproxyLab.ts'

let lab: BalancerLab
let machines: HaproxyLab
eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

/** Three instances with the same behaviour, and the requests that reached them. */
async function three(listener: RequestListener): Promise<{ instances: LabInstance[]; seen: string[] }> {
  const seen: string[] = []
  const names = ['x-1', 'x-2', 'x-3']
  const instances = await Promise.all(
    names.map((name) =>
      lab.instance(name, (request, response) => {
        seen.push(`${request.method} ${name}`)
        listener(request, response)
      }),
    ),
  )
  return { instances, seen }
}

let httpsPort = 0
async function withCertificate(): Promise<{ port: number; certificates: string }> {
  const { cert, key } = machines.authority.firstOf('public')
  const certificates = join(machines.folder, 'certificates')
  mkdirSync(certificates)
  writeFileSync(join(certificates, 'public.pem'), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  httpsPort = await freePort()
  return { port: httpsPort, certificates }
}

const crash: RequestListener = (request) => request.socket.destroy()
const hang: RequestListener = () => {}

describe('a request that was cut with its instance', () => {
  it.each(['GET', 'DELETE', 'PUT', 'POST'])(
    'is answered 502 with the reason, and not sent again: %s',
    async (method) => {
      const { instances, seen } = await three(hang)
      const [old, next] = instances as [LabInstance, LabInstance, LabInstance] // three names
      const a = await machines.machine('a')
      await a.route(httpRoute({ targets: [old.active] }))
      const answer = ask(a.port, { method })
      await expect.poll(() => seen.length).toBe(1)
      await a.route(httpRoute({ targets: [old.draining, next.active] }))
      await a.balancer.release(old.name)
      a.balancer.cut(old.name)
      const { status, body } = await answer
      expect([status, body]).toEqual([
        502,
        expect.stringContaining('the instance was stopped when its drain time had ended'),
      ])
      expect(seen).toEqual([`${method} x-1`])
    },
  )

  it('is answered the same if the instance closes at its stop signal, through another machine, and after a reload', async () => {
    const { instances, seen } = await three(hang)
    const [old, next] = instances as [LabInstance, LabInstance, LabInstance] // three names
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    await b.route(httpRoute({ targets: [old.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    const answer = ask(a.port, { method: 'DELETE' })
    await expect.poll(() => seen.length).toBe(1)
    await b.route(
      httpRoute({ targets: [old.draining, next.active] }),
      httpRoute({ path: '/more', targets: [next.active] }),
    )
    await b.balancer.release(old.name)
    await old.kill()
    expect(await answer).toMatchObject({ status: 502, body: expect.stringContaining('drain time had ended') })
    expect(seen).toEqual(['DELETE x-1'])
  })

  it('is answered the same if its body is counted', async () => {
    const { instances, seen } = await three(hang)
    const [old, next] = instances as [LabInstance, LabInstance, LabInstance] // three names
    const a = await machines.machine('a')
    await a.route(httpRoute({ targets: [old.active], bodyBytes: 1_000 }))
    const socket = await lab.connect(a.port)
    socket.write('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n')
    await expect.poll(() => seen.length).toBe(1)
    await a.route(httpRoute({ targets: [old.draining, next.active], bodyBytes: 1_000 }))
    await a.balancer.release(old.name)
    a.balancer.cut(old.name)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 502 /)
    expect(seen).toEqual(['PUT x-1'])
  })

  // See docs/operations.md: HAProxy 2.6 leaves it to these clients to retry. HAProxy itself does not retry.
  it('ends without an answer on a connection that was used before, and over HTTP/2, and is not sent again', async () => {
    const { instances, seen } = await three((request, response) => {
      if (request.url === '/') response.end('served')
    })
    const [old, next] = instances as [LabInstance, LabInstance, LabInstance] // three names
    const a = await machines.machine('a', { https: await withCertificate() })
    await a.route(httpRoute({ targets: [old.active] }))
    const agent = lab.agent()
    expect((await ask(a.port, { agent })).status).toBe(200)
    const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { rejectUnauthorized: false })
    lab.onClose(() => session.destroy())
    const ended = [
      ask(a.port, { agent, method: 'DELETE', path: '/hang' }).catch((error: Error) => error.message),
      once(session.request({ ':path': '/hang', ':method': 'DELETE' }), 'response').catch(
        (error: Error) => error.message,
      ),
    ]
    await expect.poll(() => seen.length).toBe(3)
    await a.route(httpRoute({ targets: [old.draining, next.active] }))
    await a.balancer.release(old.name)
    a.balancer.cut(old.name)
    expect(await Promise.all(ended)).toEqual(['socket hang up', expect.stringContaining('REFUSED_STREAM')])
    expect(seen).toEqual(['GET x-1', 'DELETE x-1', 'DELETE x-1'])
  })

  it('is known as stopped only while a plan names the instance', async () => {
    const { instances } = await three(crash)
    const [old, next] = instances as [LabInstance, LabInstance, LabInstance] // three names
    const a = await machines.machine('a')
    await a.route(httpRoute({ targets: [old.active] }))
    await a.route(httpRoute({ targets: [old.draining, next.active] }))
    await a.balancer.release(old.name)
    const known = async (): Promise<string> => {
      const map = `${machines.folderOf('a')}/stopped.map`
      return machines.masterOf('a').ask((await machines.workerOf('a')) ?? 0, `show map ${map}`)
    }
    expect(await known()).toContain('x-1 the instance was stopped')
    await a.route(httpRoute({ targets: [next.active] }))
    expect(await known()).not.toContain('x-1')
  })
})

describe('a request that crashes its instance', () => {
  it.each(['GET', 'HEAD', 'PUT', 'POST'])('reaches no other instance: %s', async (method) => {
    const { instances, seen } = await three(crash)
    const a = await machines.machine('a')
    await a.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    expect((await ask(a.port, { method })).status).toBe(502)
    expect(seen).toHaveLength(1)
  })

  it('is answered with the reason, by HTTP/1.1 on the first request of a connection', async () => {
    const { instances } = await three(crash)
    const a = await machines.machine('a')
    await a.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    expect((await ask(a.port)).body).toMatch(/^502 Bad gateway: .*\(no answer came\)/)
  })
})

describe('425', () => {
  const tooEarly: RequestListener = (_request, response) => response.writeHead(425).end('too early')
  const own = async (answer: Promise<Answer>): Promise<unknown[]> => {
    const { status, body, headers } = await answer
    return [status, body, headers['tandem-too-early']]
  }

  it('of an instance is its answer: the request is sent once', async () => {
    const { instances, seen } = await three(tooEarly)
    const a = await machines.machine('a')
    await a.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    expect(await own(ask(a.port))).toEqual([425, 'too early', undefined])
    expect(seen).toHaveLength(1)
  })

  it('of an instance is also its answer through another machine', async () => {
    const { instances, seen } = await three(tooEarly)
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => machines.machine(name)))
    const targets = instances.map(({ active }) => active)
    await b?.route(httpRoute({ targets }))
    await c?.route(httpRoute({ targets }))
    await a?.route(httpRoute({ peers: [b, c].flatMap((one) => (one ? [one.peer] : [])) }))
    expect(await own(ask(a?.port ?? 0))).toEqual([425, 'too early', undefined])
    expect(seen).toHaveLength(1)
  })
})

it('skips instances that refuse the connection, however many there are, whatever the method', async () => {
  const { instances } = await three((_request, response) => response.end('served'))
  const a = await machines.machine('a')
  await a.route(httpRoute({ targets: instances.map(({ active }) => active) }))
  const closed = instances.slice(0, 2).map((one) => once(one.server, 'close'))
  for (const one of instances.slice(0, 2)) await one.kill()
  await Promise.all(closed)
  for (const method of ['GET', 'POST', 'GET', 'DELETE']) expect((await ask(a.port, { method })).body).toBe('served')
})
