import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations, streams } from '../../api/contract.ts'
import { basePath } from '../../api/operation.ts'
import { problemSchema } from '../../api/problem.ts'
import { errorCodes } from '../../lib/errorCodes.ts'
import { aReport, makeFolder, release } from '../testing/given.ts'
import { runController, tokens, type Asked, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
beforeAll(async () => {
  folder = makeFolder('api')
  controller = await runController(folder.path)
})
afterAll(async () => {
  await controller.close()
  folder.remove()
})

/**
 * The code of a refusal. The refusal must be a problem with a documented code, the status of that code, and a message.
 */
function problemCode(answer: Asked): string {
  expect([answer.type, answer.text.slice(0, 300)]).toEqual(['application/problem+json', expect.anything()])
  const problem = problemSchema.parse(answer.json)
  expect(errorCodes).toHaveProperty(problem.code)
  expect(answer.status).toBe(problem.status)
  expect(problem.detail.length).toBeGreaterThan(5)
  return problem.code
}
const filled = (path: string): string => `${basePath}${path.replaceAll(/:(id|service|machine)/g, 'abc123')}`
const calls: { name: string; method: string; path: string; role: string }[] = [
  ...Object.entries(operations).map(([name, { method, path, role }]) => ({ name, method, path: filled(path), role })),
  ...Object.entries(streams).map(([name, { path, role }]) => ({ name, method: 'GET', path: filled(path), role })),
  { name: 'put objects', method: 'POST', path: `${basePath}/objects`, role: 'operator' },
  { name: 'fetch objects', method: 'POST', path: `${basePath}/objects/fetch`, role: 'agentOrOperator' },
  { name: 'agent stream', method: 'GET', path: `${basePath}/agent/stream`, role: 'agent' },
  { name: 'report changes', method: 'POST', path: `${basePath}/agent/report-changes`, role: 'agent' },
  { name: 'agent answers', method: 'POST', path: `${basePath}/agent/answers/x`, role: 'agent' },
]

/** Roles of callers that show a secret of their own in the place of the token, with the refusal of any other. */
const newcomers: Record<string, string> = { joiner: 'E_JOIN_REFUSED', visitor: 'E_LINK_REFUSED' }

describe('who may call', () => {
  it.each(calls)('$name needs a token', async ({ method, path, role }) => {
    const refusal = newcomers[role]
    const [none, wrong] = refusal ? [refusal, refusal] : ['E_UNAUTHORIZED', 'E_TOKEN_UNKNOWN']
    expect(problemCode(await controller.ask(method, path, { token: null, body: '{' }))).toBe(none)
    for (const token of ['x', 'no-such-token-0123456789', `${tokens.operator}x`, 'x'.repeat(4_000)]) {
      expect(problemCode(await controller.ask(method, path, { token, body: '{' }))).toBe(wrong)
    }
  })
  it.each(calls.filter(({ role }) => role !== 'reader'))(
    '$name is not for a reader',
    async ({ method, path, role }) => {
      const refusal = newcomers[role] ?? 'E_FORBIDDEN'
      expect(problemCode(await controller.ask(method, path, { token: tokens.reader, body: '{' }))).toBe(refusal)
    },
  )
  it.each(calls.filter(({ role }) => role === 'operator' || role === 'reader'))(
    '$name is not for an agent',
    async ({ method, path }) => {
      expect(problemCode(await controller.ask(method, path, { token: tokens.a }))).toBe('E_FORBIDDEN')
    },
  )
  it('an agent speaks only for its own machine', async () => {
    const body = JSON.stringify(aReport({ machine: 'a' }))
    const answer = await controller.ask('POST', `${basePath}/agent/reports`, { token: tokens.b, body })
    expect(problemCode(answer)).toBe('E_FORBIDDEN')
    expect(answer.json['detail']).toBe('the token "b" speaks for machine b')
    const change = JSON.stringify({ machine: 'a', boot: 1, after: 1, set: {}, lists: {}, records: {}, gone: [] })
    const changed = await controller.ask('POST', `${basePath}/agent/report-changes`, { token: tokens.b, body: change })
    expect(problemCode(changed)).toBe('E_FORBIDDEN')
  })
  it('a revoked token is refused, and a created token works at once', async () => {
    const { token } = await controller.client.call('createToken', { body: { role: 'reader', name: 'new' } })
    expect((await controller.ask('GET', `${basePath}/status`, { token })).status).toBe(200)
    const { tokens: all } = await controller.client.call('tokens', {})
    expect(JSON.stringify(all)).not.toContain(token)
    const made = all.find(({ name }) => name === 'new')
    await controller.client.call('revokeToken', { params: { id: made?.id ?? '' } })
    expect(problemCode(await controller.ask('GET', `${basePath}/status`, { token }))).toBe('E_TOKEN_UNKNOWN')
  })
  it('a token cannot have the name that events give a machine', async () => {
    for (const name of ['machine a', 'Machine x']) {
      const made = controller.client.call('createToken', { body: { role: 'reader', name } })
      await expect(made).rejects.toMatchObject({ code: 'E_USAGE', subject: name })
    }
    await controller.client.call('createToken', { body: { role: 'reader', name: 'machine-room' } })
    const { tokens: all } = await controller.client.call('tokens', {})
    expect(all.map(({ name }) => name).filter((name) => /machine/i.test(name))).toEqual(['machine-room'])
  })
  it('a wrong token and a missing token get different errors and different challenges', async () => {
    const head = (line: string): string =>
      `GET ${basePath}/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${line}\r\n`
    const none = await controller.raw(head(''))
    expect(none).toMatch(/^www-authenticate: Bearer realm="tandem"\r$/im)
    expect(none).toContain('a bearer token is needed, and none was sent')
    const wrong = await controller.raw(head('authorization: bearer nosuch\r\n'))
    expect(wrong).toMatch(/^www-authenticate: Bearer realm="tandem", error="invalid_token"\r$/im)
    expect(wrong).toContain('does not know the token')
    expect(await controller.raw(head('authorization: Basic eDp5\r\n'))).toContain('holds no bearer token')
  })
  it('health and metrics on loopback answer only requests that name this computer', async () => {
    for (const path of ['/healthz', '/metrics']) {
      const ask = (host: string): Promise<string> =>
        controller.raw(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
      for (const host of ['127.0.0.1', `localhost:${controller.port}`, 'tandem.localhost', '[::1]:7480']) {
        expect(await ask(host)).toMatch(/^HTTP\/1.1 200 /)
      }
      const refused = await ask(`evil.example:${controller.port}`)
      expect(refused).toMatch(/^HTTP\/1.1 421 /)
      expect(refused).toContain('"code":"E_FOREIGN_HOST"')
    }
  })
  it('an agent token needs its machine', async () => {
    const body = JSON.stringify({ role: 'agent', name: 'x' })
    expect(problemCode(await controller.ask('POST', `${basePath}/tokens`, { body }))).toBe('E_USAGE')
  })
  it('health and metrics need no token on loopback', async () => {
    const health = await controller.ask('GET', '/healthz', { token: null })
    expect([health.status, health.json]).toEqual([200, { ok: true, problem: null }])
    expect((await controller.ask('GET', '/metrics', { token: null })).text).toContain('tandem_log_position')
  })
})

describe('the past', () => {
  it('is only read, at addresses of its own: no other call takes a position in the past', async () => {
    const past = Object.entries(operations).filter(([, { path }]) => path.startsWith('/past/'))
    expect(past.map(([name]) => name)).toEqual(expect.arrayContaining(['pastStatus', 'pastOverview', 'pastRollouts']))
    expect(past.filter(([, { method, role }]) => method !== 'GET' || role !== 'reader')).toEqual([])
    const ofPeople = (role: string): boolean => role === 'reader' || role === 'operator'
    const others = Object.values(operations).filter(({ path, role }) => !path.startsWith('/past/') && ofPeople(role))
    expect(others.length).toBeGreaterThan(20)
    for (const { method, path } of others) {
      const body = method === 'GET' ? {} : { body: '{}' }
      const answer = await controller.ask(method, `${filled(path)}?at=1`, body)
      expect([path, problemCode(answer), answer.json['detail']]).toEqual([
        ...[path, 'E_USAGE', 'the query has no field "at"'],
      ])
    }
  })
  it('is answered for a position or a time, and refused for anything else', async () => {
    const ask = (at: string): Promise<Asked> =>
      controller.ask('GET', `${basePath}/past/status?at=${encodeURIComponent(at)}`, { token: tokens.reader })
    expect((await ask('1')).json).toMatchObject({ asOf: { position: 1 }, controller: { version: '0', term: 1 } })
    expect((await ask('2020-01-01T00:00:00Z')).json).toMatchObject({ asOf: { position: 0, at: null }, services: [] })
    for (const at of ['', '-1', '1.5', 'now', '2026', '2026-99-01T00:00', '9'.repeat(16), "1' OR 1"]) {
      expect([at, /^E_(USAGE|BEYOND_LOG)$/.test(problemCode(await ask(at)))]).toEqual([at, true])
    }
  })
})

describe('a wrong request is answered by a problem with a code', () => {
  const post = (path: string, body: string, type?: string): Promise<Asked> =>
    controller.ask('POST', `${basePath}${path}`, { body, ...(type ? { type } : {}) })
  it.each([
    ['malformed JSON', '{"service":', 'E_USAGE'],
    ['nothing', '', 'E_USAGE'],
    ['another type', '[]', 'E_USAGE'],
    ['null', 'null', 'E_USAGE'],
    ['a wrong field', '{"service":7,"kind":"deploy"}', 'E_USAGE'],
    ['an unknown kind', '{"service":"shop","kind":"explode"}', 'E_USAGE'],
    ['an invalid service name', '{"service":"../etc","kind":"deploy","release":"a"}', 'E_USAGE'],
    ['the prototype', '{"__proto__":{"x":1},"service":"shop","kind":"stop"}', 'E_USAGE'],
    ['deep nesting', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 'E_USAGE'],
    ['an unknown release', '{"service":"shop","kind":"deploy","release":"abc"}', 'E_RELEASE_GONE'],
    ['an unknown service', '{"service":"shop","kind":"stop"}', 'E_NO_SUCH_SERVICE'],
    ['a name that JavaScript objects have', '{"service":"constructor","kind":"stop"}', 'E_USAGE'],
    [
      'a release name that JavaScript objects have',
      '{"service":"shop","kind":"deploy","release":"constructor"}',
      'E_USAGE',
    ],
  ])('%s', async (_, body, code) => expect(problemCode(await post('/rollouts', body))).toBe(code))
  it('too large', async () =>
    expect(problemCode(await post('/rollouts', `"${'x'.repeat(9_000_000)}"`))).toBe('E_TOO_LARGE'))
  it('another media type', async () =>
    expect(problemCode(await post('/rollouts', 'a: b', 'application/yaml'))).toBe('E_USAGE'))
  it('an invalid manifest', async () =>
    expect(problemCode(await post('/releases', '{"manifest":"{}"}'))).toBe('E_RELEASE_CONTENT'))
  it.each([
    ['GET', '/nothing', 'E_NOT_FOUND'],
    ['DELETE', '/status', 'E_METHOD'],
    ['POST', '/channels/x', 'E_METHOD'],
    ['HEAD', '/status', ''],
    ['GET', `/rollouts/${'x'.repeat(600)}`, 'E_USAGE'],
    ['GET', '/rollouts/none', 'E_NO_SUCH_ROLLOUT'],
    ['GET', '/rollouts/constructor', 'E_NO_SUCH_ROLLOUT'],
    ['GET', '/rollouts/%ZZ', 'E_USAGE'],
    ['GET', '/status?atLeast=soon', 'E_USAGE'],
    ['GET', '/status?atLeast=-1', 'E_USAGE'],
    ['GET', '/rollouts?limit=100000', 'E_USAGE'],
    ['GET', '/logs', 'E_USAGE'],
    ['GET', '/logs?service=shop&since=nonsense', 'E_USAGE'],
    ['GET', '/numbers/series?since=nonsense', 'E_USAGE'],
    ['GET', '/logs?service=shop&machine=nowhere', 'E_NO_SUCH_MACHINE'],
    ['GET', '/logs?service=shop&machine=constructor', 'E_USAGE'],
    ['GET', '/services/shop/run?argv=["ls"]', 'E_NOT_FOUND'],
    ['GET', '/channels/none', 'E_USAGE'],
    ['GET', '/status?atLest=1', 'E_USAGE'],
    ['GET', '/events?folow=true', 'E_USAGE'],
    ['GET', '/events?after=99999', 'E_BEYOND_LOG'],
    ['GET', '/logs?service=shop&instance=nosuch', 'E_NO_SUCH_INSTANCE'],
    ['POST', '/rollouts/none/abort', 'E_NO_SUCH_ROLLOUT'],
    ['POST', '/machines/nowhere/ready', 'E_NO_SUCH_MACHINE'],
    ['POST', '/machines/constructor/ready', 'E_USAGE'],
    ['POST', '/machines/__proto__/ready', 'E_USAGE'],
    ['POST', '/tokens/not-hex/revoke', 'E_USAGE'],
  ])('%s %s', async (method, path, code) => {
    const answer = await controller.ask(method, `${basePath}${path}`)
    if (method === 'HEAD') expect(answer.status).toBe(405)
    else expect(problemCode(answer)).toBe(code)
  })
  it('a channel whose name cannot be decoded', async () => {
    for (const path of ['/channels/%ZZ', '/agent/channels/%ff']) {
      const head = `GET ${basePath}${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tandem-channel\r\n\r\n`
      expect(await controller.raw(head)).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"E_USAGE"/)
    }
  })
  it('invalid objects', async () => {
    expect(problemCode(await post('/objects', '{}'))).toBe('E_USAGE')
    expect(problemCode(await post('/objects', 'garbage', 'application/vnd.tandem.objects'))).toBe('E_USAGE')
    expect(problemCode(await post('/objects/fetch', 'null'))).toBe('E_USAGE')
    expect(problemCode(await post('/objects/fetch', '{"keys":["../../etc/passwd"]}'))).toBe('E_USAGE')
    expect(problemCode(await post('/objects/fetch', `{"keys":["manifest/${release}"]}`))).toBe('E_RELEASE_GONE')
    expect(problemCode(await post('/objects/missing', '{"keys":["blob/x"]}'))).toBe('E_USAGE')
  })
  it('a position where nothing was written', async () => {
    const answer = await controller.ask('GET', `${basePath}/status?atLeast=99999`)
    expect(problemCode(answer)).toBe('E_BEYOND_LOG')
    expect(answer.json['detail']).not.toContain('did happen')
  })
  it('a wrong method: the answer names the allowed methods', async () => {
    const head = `PUT ${basePath}/releases HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`
    const answer = await controller.raw(head)
    expect(answer).toMatch(/^HTTP\/1.1 405 /)
    expect(answer).toMatch(/^allow: GET, POST\r$/im)
  })
  it('an unknown field in the body is named, with the nearest known field, at any depth', async () => {
    const body = { service: 'shop', kind: 'deploy', relase: release }
    const answer = await post('/rollouts', JSON.stringify(body))
    expect(answer.json).toMatchObject({
      code: 'E_USAGE',
      detail: 'the body has no field "relase"',
      next: 'did you mean "release"?',
    })
    const script = { name: 'x', text: 'true', within: 1 }
    const deep = await post('/maintenance', JSON.stringify({ kind: 'patch', machines: [], restart: false, script }))
    expect(deep.json).toMatchObject({ code: 'E_USAGE', detail: 'script of the body has no field "within"' })
    const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'none' }
    const cluster = {
      ...{ cluster: 'x', controllers: ['10.0.0.1:7480'], addresses: [], drivers },
      machines: { a: { address: '10.0.0.2', drivers, role: 'x' } },
      entry: { http: 80, https: 443, certificates: null },
    }
    const inMap = await post('/cluster', JSON.stringify({ cluster }))
    expect(inMap.json).toMatchObject({ code: 'E_USAGE', detail: 'cluster.machines.a of the body has no field "role"' })
    expect((await controller.ask('POST', `${basePath}/rollouts/none/abort?force=1`)).json['detail']).toContain(
      '"force"',
    )
  })
  it('only calls that can be dry runs take ?dryRun, and they write nothing', async () => {
    const position = async (): Promise<unknown> => (await controller.client.call('status', {})).controller.position
    const before = await position()
    const { cluster: name } = await controller.client.call('status', {})
    const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'none' }
    const cluster = {
      ...{ cluster: name, controllers: ['10.0.0.1:7480'], addresses: [], drivers },
      ...{ machines: { a: { address: '10.0.0.2', drivers } }, entry: { http: 80, https: 443, certificates: null } },
    }
    const answer = await post('/cluster?dryRun=true', JSON.stringify({ cluster }))
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ dryRun: true, events: [{ type: 'ClusterApplied' }] })
    const refused = await post('/rollouts?dryRun=true', JSON.stringify({ service: 'nosuch', kind: 'stop' }))
    expect(refused.json).toMatchObject({ code: 'E_NO_SUCH_SERVICE' })
    const cannot = await post('/releases?dryRun=true', JSON.stringify({ manifest: '' }))
    expect(cannot.json).toMatchObject({ code: 'E_USAGE', detail: expect.stringContaining('dryRun') })
    expect(await position()).toBe(before)
  })
  it('an agent may send fields that this version does not know', async () => {
    const body = JSON.stringify({ ...aReport({ seq: 90 }), news: 1 })
    expect((await controller.ask('POST', `${basePath}/agent/reports`, { token: tokens.a, body })).status).toBe(200)
  })
  it('a Last-Event-ID beyond the end of the log', async () => {
    const head = `GET ${basePath}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.reader}\r\nlast-event-id: 99999\r\nconnection: close\r\n\r\n`
    const answer = await controller.raw(head)
    expect(answer).toContain('"code":"E_BEYOND_LOG"')
    expect(answer).toContain('position 99999 is beyond the end of this event log')
  })
  it('an answer that no caller waits for', async () => {
    const path = `${basePath}/agent/answers/none`
    const answer = await controller.ask('POST', path, { token: tokens.a, body: '', type: 'application/x-ndjson' })
    expect(answer.json).toEqual({ wanted: false })
    expect(problemCode(await controller.ask('POST', path, { token: tokens.a, body: '{}' }))).toBe('E_USAGE')
  })
})

describe('hostile connections', () => {
  it.each([
    ['garbage', '\0\x01\x02garbage\r\n\r\n'],
    ['TLS', Buffer.from('16030100a5010000a1030300', 'hex')],
    [
      'a bad chunk',
      `POST ${basePath}/rollouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    ],
    ['two lengths', `POST ${basePath}/rollouts HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx`],
  ])('%s is answered by a problem, and closed', async (_, bytes) => {
    const answer = await controller.raw(bytes)
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('application/problem+json')
    expect(answer).toContain('"code":"E_USAGE"')
  })
  it('a head that is too large is answered by a problem', async () => {
    const answer = await controller.raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
    expect(answer).toContain('"code":"E_TOO_LARGE"')
  })
  it('hundreds of half-open connections do not keep other requests from being served', async () => {
    const head = `POST ${basePath}/rollouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const socket = connect({ host: '127.0.0.1', port: controller.port })
      socket.on('error', () => {}) // ended by the server or below
      if (index % 3 > 0) socket.write(index % 3 === 1 ? head : 'GET /heal')
      return socket
    })
    expect((await controller.ask('GET', `${basePath}/status`)).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })
})

describe('reports', () => {
  const report = (body: unknown): Promise<Asked> =>
    controller.ask('POST', `${basePath}/agent/reports`, { token: tokens.a, body: JSON.stringify(body) })
  it('of another shape are refused as a whole', async () => {
    for (const wrong of [{}, { ...aReport(), boot: 'x' }, { ...aReport(), problems: ['x'.repeat(2_001)] }]) {
      expect(problemCode(await report(wrong))).toBe('E_USAGE')
    }
  })
  it('of 8 MB are accepted or refused, and the next report is served', async () => {
    const fetched = Array.from({ length: 110_000 }, (_, index) => `${index}`.padStart(64, '0'))
    expect((await report(aReport({ fetched }))).status).toBe(200)
    expect(problemCode(await report(aReport({ fetched: [...fetched, ...fetched] })))).toBe('E_TOO_LARGE')
    expect((await report(aReport({ seq: 2 }))).status).toBe(200)
  })
  it('in a flood change nothing that they repeat, and delay no other caller', async () => {
    const before = await controller.client.call('status', {})
    let answered = 0
    const flood = Array.from({ length: 500 }, async (_, index) => {
      await report(aReport({ seq: 10 + index }))
      answered++
    })
    const during = await controller.client.call('status', {})
    const answeredBefore = answered
    await Promise.all(flood)
    expect(during.controller.position).toBe(before.controller.position)
    expect(answeredBefore).toBeLessThan(500)
  })
})
