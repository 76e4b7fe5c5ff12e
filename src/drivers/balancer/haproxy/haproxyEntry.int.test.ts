import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { freePort } from '../../../lib/freePort.ts'
import { ask, type BalancerLab, echo, httpRoute, tcpRoute } from '../balancerLab.ts'
import { childHaproxy } from './childHaproxy.ts'
import { eachInALab, type HaproxyLab, type NamedInstance } from './haproxyLab.ts'

let lab: BalancerLab
let machines: HaproxyLab

eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

describe('a route that cannot be served', () => {
  it('is reported for the service that caused it; the running routes stay in force, and the others are served', async () => {
    const a = await machines.machine('a')
    const x = await machines.instance('x-1')
    const good = httpRoute({ service: 'good', path: '/good', targets: [x.active] })
    await a.route(good, httpRoute({ service: 'bad', path: '/bad', targets: [x.active] }))
    const unserved = await a.route(
      httpRoute({ service: 'good', path: '/better', targets: [x.active] }),
      httpRoute({ service: 'bad', path: '/worse', targets: [x.active], bodyBytes: 1e30 }),
    )
    expect(unserved).toEqual([{ service: 'bad', reason: expect.stringContaining('HAProxy refuses the routes of bad') }])
    expect((await ask(a.port, { path: '/better' })).status).toBe(200)
    expect((await ask(a.port, { path: '/bad' })).status).toBe(200)
    expect((await ask(a.port, { path: '/good' })).status).toBe(404)
  })

  it('has a port that another process listens on', async () => {
    const a = await machines.machine('a')
    const [x, other] = [await machines.instance('x-1'), await lab.tcpInstance('other', echo)]
    const taken = tcpRoute({ port: other.port, name: 5672, targets: [x.active] })
    expect(await a.route(httpRoute({ targets: [x.active] }), taken)).toEqual([
      { service: 'queue', reason: expect.stringContaining(`cannot listen on TCP port ${other.port}`) },
    ])
    expect((await ask(a.port)).status).toBe(200)
    await other.kill()
    expect(await a.route(httpRoute({ targets: [x.active] }), taken)).toEqual([])
  })

  it('is not caused by a broken public certificate: https is omitted and reported, http continues, and https comes back when the certificate is repaired', async () => {
    const { cert, key } = machines.authority.firstOf('public')
    const folder = join(machines.folder, 'certificates')
    mkdirSync(folder)
    const pem = join(folder, 'public.pem')
    const good = readFileSync(cert, 'utf8') + readFileSync(key, 'utf8')
    writeFileSync(pem, good)
    const port = await freePort()
    const a = await machines.machine('a', { https: { port, certificates: folder } })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const config = (): string => readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')
    const before = config()
    expect(a.balancer.problems?.()).toEqual([])
    writeFileSync(pem, 'not a certificate')
    await a.route(httpRoute({ targets: [x.active] }))
    expect(a.balancer.problems?.()).toEqual([expect.stringContaining('public.pem')])
    expect(config()).not.toContain(`:${port} ssl`)
    expect((await ask(a.port)).status).toBe(200)
    writeFileSync(pem, good)
    await a.route(httpRoute({ targets: [x.active] }))
    expect(a.balancer.problems?.()).toEqual([])
    expect(config()).toBe(before)
  })
})

it('answers nobody at the address of a service that does not listen: a call never reaches another service', async () => {
  const a = await machines.machine('a', { host: '0.0.0.0' })
  const x = await machines.instance('x-1')
  await a.route(httpRoute({ targets: [x.active] }))
  expect((await ask(a.port)).status).toBe(200)
  await expect(fetch(`http://127.77.200.200:${a.port}/`)).rejects.toThrow('fetch failed')
})

it('refuses nothing because of a check that did not run: the plan fails, the running configuration stays, and the plan is retried', async () => {
  const [program, sick] = [join(machines.folder, 'sometimes'), join(machines.folder, 'sick')]
  writeFileSync(program, `#!/bin/sh\n[ -e ${sick} ] && [ "$1" = -c ] && kill -9 $$\nexec haproxy "$@"\n`, {
    mode: 0o755,
  })
  const checked = childHaproxy({ program, master: join(machines.folder, 'a', 'run', 'master.sock') })
  const folder = join(machines.folder, 'certificates')
  mkdirSync(folder)
  const { cert, key } = machines.authority.firstOf('public')
  writeFileSync(join(folder, 'public.pem'), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  writeFileSync(sick, '')
  const https = { port: await freePort(), certificates: folder }
  await expect(machines.machine('a', { https, process: checked })).rejects.toThrow('did not check anything')
  rmSync(sick)
  const a = await machines.machine('a', { https, process: checked })
  expect(await a.route()).toEqual([])
  expect(a.balancer.problems?.()).toEqual([])
})

describe('public certificates', () => {
  const pemOf = (name: string): string => {
    const { cert, key } = machines.authority.machine(name)
    return readFileSync(cert, 'utf8') + readFileSync(key, 'utf8')
  }
  const made = (name: string): string => {
    const folder = join(machines.folder, name)
    mkdirSync(folder)
    return folder
  }
  const subjectAt = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      socket.once('error', (error) => resolve(error.message))
      socket.once('secureConnect', () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
    })

  it('that cannot be copied for HAProxy do not prevent a start; the failure is reported, and the copy retried', async () => {
    const [source, certificates] = [join(machines.folder, 'none'), join(machines.folder, 'shared')]
    const port = await freePort()
    let broken = true
    const copy = async (): Promise<void> => {
      if (broken) throw new Error('public.pem is not a regular file and no link to one')
      mkdirSync(certificates, { recursive: true })
      writeFileSync(join(certificates, 'public.pem'), pem)
    }
    const pem = pemOf('public')
    const about = { port, certificates, source, copy }
    mkdirSync(join(machines.folderOf('a'), 'run'), { recursive: true })
    const a = await machines.machine('a', {
      https: about,
      sharesGroup: true,
      limits: { certificatesMs: 100, certificatesAgainMs: 100 },
    })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    expect((await ask(a.port)).status).toBe(200)
    expect(a.balancer.problems?.().join('\n')).toContain('public.pem is not a regular file and no link to one')
    broken = false
    await expect.poll(() => subjectAt(port)).toBe('public')
    expect(a.balancer.problems?.()).toEqual([])
  })

  it('may be links: a renewed target is loaded, a link without a target is reported', async () => {
    const [certificates, elsewhere, port] = [made('certificates'), made('elsewhere'), await freePort()]
    writeFileSync(join(elsewhere, 'live.pem'), pemOf('first'))
    symlinkSync(join(elsewhere, 'live.pem'), join(certificates, 'public.pem'))
    const a = await machines.machine('a', { https: { port, certificates }, limits: { certificatesMs: 100 } })
    await a.route()
    expect(await subjectAt(port)).toBe('first')
    writeFileSync(join(elsewhere, 'live.pem'), pemOf('renewed'))
    await expect.poll(() => subjectAt(port)).toBe('renewed')
    symlinkSync(join(elsewhere, 'none.pem'), join(certificates, 'nowhere.pem'))
    await a.route()
    expect(a.balancer.problems?.()).toEqual([expect.stringContaining('nowhere.pem')])
  })
})

it('is not restarted by a check of unchanged certificates: a person may have stopped it', async () => {
  const process = childHaproxy({ master: join(machines.folder, 'a', 'run', 'master.sock') })
  let looks = 0
  const https = {
    port: await freePort(),
    certificates: join(machines.folder, 'certificates'),
    copy: () => Promise.resolve(void (looks += 1)),
  }
  const a = await machines.machine('a', { https, process, limits: { certificatesMs: 50, certificatesAgainMs: 50 } })
  await a.route()
  const looked = async (times: number): Promise<void> => {
    const before = looks
    await expect.poll(() => looks).toBeGreaterThanOrEqual(before + times)
  }
  await looked(2)
  await process.end()
  await looked(5)
  expect(await process.isRunning()).toBe(false)
  await a.route()
  expect(await process.isRunning()).toBe(true)
})

describe('the entry', () => {
  it('chooses by host and longest path on segment boundaries, and clearly reports a missing route', async () => {
    const a = await machines.machine('a')
    expect((await ask(a.port)).status).toBe(503)
    const names = ['any', 'host', 'deep']
    const [any, host, deep] = (await Promise.all(names.map((name) => machines.instance(name)))) as [
      NamedInstance,
      NamedInstance,
      NamedInstance,
    ] // three names
    await a.route(
      httpRoute({ service: 'any', path: '/x', targets: [any.active] }),
      httpRoute({ service: 'host', host: 'h.test', targets: [host.active] }),
      httpRoute({ service: 'deep', host: 'h.test', path: '/a/b', targets: [deep.active] }),
    )
    const served = async (host: string, path: string): Promise<string> =>
      (await ask(a.port, { path, headers: { host } })).body.split(/[ :]/)[0] ?? ''
    expect(await served('H.test.:80', '/a/b?q')).toBe('deep')
    expect(await served('h.test', '/a/b/c')).toBe('deep')
    expect(await served('h.test', '/a/bc')).toBe('host')
    expect(await served('other', '/x/y')).toBe('any')
    expect(await served('other', '/xy')).toBe('404')
  })

  it('names the client in its headers, also through another machine', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await lab.instance('x-1', (request, response) => response.end(JSON.stringify(request.headers)))
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    const headers = JSON.parse(
      (await ask(a.port, { headers: { host: 'shop.test', forwarded: 'for=6', 'x-forwarded-ssl': 'on' } })).body,
    )
    expect(headers).toMatchObject({
      host: 'shop.test',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.test',
    })
    expect(headers).not.toHaveProperty('forwarded')
    expect(headers).not.toHaveProperty('x-forwarded-ssl')
  })

  it('trusts the client headers of a trusted balancer in front, and of no other sender', async () => {
    const x = await lab.instance('x-1', (request, response) => response.end(JSON.stringify(request.headers)))
    const said = { host: 'inner.test', 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }
    const headers = { ...said, 'x-forwarded-host': 'shop.test', 'x-forwarded-ssl': 'on' }
    const [a, b] = await Promise.all([
      machines.machine('a', { trustedProxies: ['10.0.0.0/8', '127.0.0.1/32', '2001:db8::/32'] }),
      machines.machine('b', { trustedProxies: ['10.0.0.0/8'] }),
    ])
    await a.route(httpRoute({ targets: [x.active] }))
    await b.route(httpRoute({ targets: [x.active] }))
    const trusted = JSON.parse((await ask(a.port, { headers })).body)
    expect(trusted).toMatchObject({
      'x-forwarded-for': '203.0.113.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.test',
    })
    expect(trusted).not.toHaveProperty('x-forwarded-ssl')
    const silent = JSON.parse((await ask(a.port, { headers: { host: 'inner.test' } })).body)
    expect(silent).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'inner.test' })
    expect(JSON.parse((await ask(b.port, { headers })).body)).toMatchObject({
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'inner.test',
    })
  })

  it('carries WebSockets and event streams, through another machine too, and does not cut them when silent', async () => {
    const limits = { headersMs: 200, clientIdleMs: 200, connectMs: 300 }
    const [a, b] = await Promise.all([machines.machine('a', { limits }), machines.machine('b', { limits })])
    const x = await lab.instance('x-1', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      setTimeout(() => response.end('data: 2\n\n'), 700) // the required silence
    })
    const sockets = new WebSocketServer({ server: x.server as Server }) // `instance` makes an HTTP server
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    const socket = new WebSocket(`ws://127.0.0.1:${a.port}/`)
    await once(socket, 'open')
    expect((await ask(a.port)).body).toBe('data: 1\n\ndata: 2\n\n')
    socket.send('still here')
    expect(String((await once(socket, 'message'))[0])).toBe('still here')
    socket.terminate()
  })

  it('speaks HTTP/2 with public certificates, and loads renewed ones on its own, without losing a connection', async () => {
    const folder = join(machines.folder, 'certificates')
    mkdirSync(folder)
    const put = (name: string): void => {
      const { cert, key } = machines.authority.machine(name)
      writeFileSync(join(folder, 'public.pem'), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
    }
    put('first')
    const port = await freePort()
    const a = await machines.machine('a', { https: { port, certificates: folder } })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const open = (): Promise<ClientHttp2Session> => {
      const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
      lab.onClose(() => session.destroy())
      session.on('error', () => {})
      return once(session, 'connect').then(() => session)
    }
    const status = async (session: ClientHttp2Session, path: string): Promise<number> => {
      const stream = session.request({ ':path': path })
      const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
      stream.resume()
      return headers[':status']
    }
    const subject = (session: ClientHttp2Session): string => {
      const socket = session.socket as TLSSocket // the session uses TLS
      return String(socket.getPeerCertificate().subject.CN)
    }
    const first = await open()
    expect([await status(first, '/'), subject(first)]).toEqual([200, 'first'])
    const slow = status(first, '/hang')
    await expect.poll(() => x.hanging.length).toBe(1)
    put('renewed')
    await expect.poll(async () => subject(await open())).toBe('renewed')
    x.hanging[0]?.end('slow')
    expect(await slow).toBe(200)
  })

  it('keeps the newest plan when a certificate is renewed while that plan is being applied', async () => {
    const program = join(machines.folder, 'slow')
    writeFileSync(program, '#!/bin/sh\nsleep 0.3\nexec haproxy "$@"\n', { mode: 0o755 })
    const checked = childHaproxy({ program, master: join(machines.folder, 'a', 'run', 'master.sock') })
    const tls = machines.authority.machine('a')
    const a = await machines.machine('a', { tls, process: checked })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    machines.authority.machine('a')
    await a.route(
      httpRoute({ targets: [x.active] }),
      httpRoute({ service: 'more', path: '/more', targets: [x.active] }),
    )
    await a.balancer.admit(null) // runs after the operations requested meanwhile
    expect(readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')).toContain('svc_more')
    expect(readFileSync(join(machines.folderOf('a'), 'machine.pem'), 'utf8')).toContain(readFileSync(tls.cert, 'utf8'))
  })
})
