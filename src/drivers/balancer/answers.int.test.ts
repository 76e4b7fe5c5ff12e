import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BalancerLab, byteServer, httpRoute, raw, readUntil, type LabMachine } from './balancerLab.ts'
import { HaproxyLab, whyNoHaproxy } from './haproxy/haproxyLab.ts'

/**
 * The bytes that an instance may send reach the client, or only permitted parts of them are dropped: the instance is
 * not at fault. All text here is latin1: one character, one byte.
 */
let lab: BalancerLab
let machine: LabMachine
beforeEach(() => {
  lab = new BalancerLab()
})
afterEach(() => lab.close())

const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

interface Case {
  sent: string
  /** The bytes that arrive if not all do, for both drivers or for one. */
  arrives?: string
  embedded?: string
  haproxy?: string
  method?: string
  version?: string
}

const legal: Record<string, Case> = {
  'an answer': { sent: final },
  'a 100 that the client did not request': { sent: `HTTP/1.1 100 Continue\r\n\r\n${final}`, embedded: final },
  'a 100 with fields': { sent: `HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n${final}`, embedded: final },
  'a 102': { sent: `HTTP/1.1 102 Processing\r\n\r\n${final}` },
  'a 103': { sent: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${final}` },
  'a 103 whose Link is a list': {
    sent: `HTTP/1.1 103 E\r\nLink: </a>; rel=preload, </b>; rel=preload\r\n\r\n${final}`,
  },
  'a 103 whose Link is quoted': { sent: `HTTP/1.1 103 E\r\nLink: </a>; rel="preload"; title="a, b"\r\n\r\n${final}` },
  'a 103 whose Link ends in ;': { sent: `HTTP/1.1 103 E\r\nLink: </a>; rel=preload;\r\n\r\n${final}` },
  'a 103 with several fields': { sent: `HTTP/1.1 103 E\r\nLink: <a>\r\nLink: <b>\r\nX-A:\r\n\r\n${final}` },
  'a 103 with bytes beyond ASCII': { sent: `HTTP/1.1 103 Pr\xe9\r\nLink: </\xc3\xa9\xe9>\r\n\r\n${final}` },
  'a 103 without fields': { sent: `HTTP/1.1 103 Early Hints\r\n\r\n${final}` },
  'a 103 with a field of its hop': {
    sent: `HTTP/1.1 103 E\r\nConnection: x-hop\r\nX-Hop: 1\r\nLink: <a>\r\n\r\n${final}`,
    embedded: `HTTP/1.1 103 E\r\nLink: <a>\r\n\r\n${final}`,
  },
  'a 104': { sent: `HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 5\r\n\r\n${final}` },
  'a 199': { sent: `HTTP/1.1 199 Mine\r\nX-A: 1\r\n\r\n${final}` },
  'an interim response without a phrase': { sent: `HTTP/1.1 103 \r\nLink: <a>\r\n\r\n${final}` },
  'several interim responses, one a 100': {
    sent: `HTTP/1.1 103 E\r\nLink: <a>\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\n${final}`,
    embedded: `HTTP/1.1 103 E\r\nLink: <a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${final}`,
  },
  'interim responses to a POST': { sent: `HTTP/1.1 103 E\r\nLink: <a>, <b>;\r\n\r\n${final}`, method: 'POST' },
  'interim responses to a HEAD': {
    sent: 'HTTP/1.1 103 E\r\nLink: <a>, <b>;\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
    method: 'HEAD',
  },
  'no interim response to HTTP/1.0': {
    sent: `HTTP/1.1 103 E\r\nLink: <a>\r\n\r\nHTTP/1.1 100 C\r\n\r\n${final}`,
    version: '1.0',
    embedded: final,
  },
  'a phrase in UTF-8': { sent: utf8('HTTP/1.1 404 Не найдено\r\nContent-Length: 2\r\n\r\nok') },
  'a phrase in UTF-8 that latin1 has too': { sent: utf8('HTTP/1.1 404 Página\r\nContent-Length: 2\r\n\r\nok') },
  'a phrase in latin1': { sent: 'HTTP/1.1 404 P\xe1gina\r\nContent-Length: 2\r\n\r\nok' },
  'a phrase with a tab': { sent: 'HTTP/1.1 404 a\tb\r\nContent-Length: 2\r\n\r\nok' },
  'a phrase beyond ASCII after an interim response': {
    sent: `HTTP/1.1 103 E\r\nLink: <a>\r\n\r\n${utf8('HTTP/1.1 200 Já')}\r\nContent-Length: 2\r\n\r\nok`,
  },
  'an empty phrase': { sent: 'HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nok' },
  'status 299': { sent: 'HTTP/1.1 299 X\r\nContent-Length: 2\r\n\r\nok' },
  'status 599': { sent: 'HTTP/1.1 599 X\r\nContent-Length: 2\r\n\r\nok' },
  'status 600': { sent: 'HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok' },
  'status 999': { sent: 'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok' },
  'values beyond ASCII': { sent: 'HTTP/1.1 200 OK\r\nX-A: \xe9\xc3\xa9\r\nContent-Length: 2\r\n\r\nok' },
  'values beyond ASCII before chunks': {
    sent: 'HTTP/1.1 200 OK\r\nX-A: \xe9\xc3\xa9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  'a file name beyond ASCII, after the length': {
    sent: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Disposition: attachment; filename="\xc3\xa9\xe9"\r\n\r\nok',
  },
  'a file name beyond ASCII, before the length': {
    sent: 'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="\xc3\xa9\xe9"\r\nContent-Length: 2\r\n\r\nok',
  },
  'empty values': { sent: 'HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \r\nContent-Length: 2\r\n\r\nok' },
  'a tab in a value': { sent: 'HTTP/1.1 200 OK\r\nX-A: a\tb\r\nContent-Length: 2\r\n\r\nok' },
  'every character of a name': {
    sent: "HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~1: a\r\n__proto__: x\r\nContent-Length: 2\r\n\r\nok",
  },
  'fields that repeat': {
    sent: 'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nLink: a\r\nLink: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
  },
  trailers: {
    sent: 'HTTP/1.1 200 OK\r\nTrailer: X-T, X-U\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: \xe9\r\nX-U:\r\n\r\n',
  },
  'trailers without an announcement': {
    sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nX-T: 2\r\n\r\n',
  },
  'trailers announced, and a length': {
    sent: 'HTTP/1.1 200 OK\r\nTrailer: X-T\r\nContent-Length: 2\r\n\r\nok',
    embedded: final,
  },
  'trailers announced to a HEAD': {
    sent: 'HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n',
    method: 'HEAD',
    embedded: 'HTTP/1.1 200 OK\r\n\r\n',
  },
  'trailers announced to HTTP/1.0': {
    sent: 'HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n',
    version: '1.0',
    embedded: 'HTTP/1.1 200 OK\r\n\r\nok',
  },
  'trailers announced, and no content': {
    sent: 'HTTP/1.1 204 No Content\r\nTrailer: X-T\r\n\r\n',
    embedded: 'HTTP/1.1 204 No Content\r\n\r\n',
  },
  'extensions of chunks': {
    sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c="d e"\r\nok\r\n0;x\r\n\r\n',
    arrives: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  'no content': { sent: 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n' },
  'not modified, with the length there would be': {
    sent: 'HTTP/1.1 304 No\r\nContent-Length: 500\r\nETag: "a"\r\n\r\n',
  },
  'not modified, with the coding there would be': {
    sent: 'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\nETag: "a"\r\n\r\n',
    embedded: 'HTTP/1.1 304 No\r\nETag: "a"\r\n\r\n',
  },
  'a 426, which names the protocol that it requires': {
    sent: 'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: HTTP/3.0, made-up\r\nContent-Length: 2\r\n\r\nok',
  },
}

const table = Object.entries(legal)

describe.each(['here', 'at another machine'])('permitted answers of an instance %s: embedded', (where) => {
  it.each(table)('%s', async (_what, { sent, arrives, embedded, method = 'GET', version = '1.1' }) => {
    const own = await lab.machine('a')
    const instance = await byteServer(lab, 'x')
    await own.route(httpRoute({ targets: [instance.active] }))
    machine = where === 'here' ? own : await lab.machine('entry')
    if (where !== 'here') await machine.route(httpRoute({ peers: [own.peer] }))
    const answer = await asked(sent, method, version)
    expect(plain(answer)).toEqual(plain(embedded ?? arrives ?? sent))
    expect(machine.balancer.counters().retries).toBe(0)
    expect(machine.changes).toEqual([])
    // The connection to the instance is in order: it serves the next request.
    expect(plain(await asked(final))).toEqual(plain(final))
  })
})

const noHaproxy = whyNoHaproxy()
describe('permitted answers of an instance: haproxy', () => {
  beforeEach(({ skip }) => skip(noHaproxy !== null, noHaproxy ?? ''))

  it('passes all the same answers on', async () => {
    machine = await new HaproxyLab(lab).machine('a')
    const instance = await byteServer(lab, 'x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    for (const [what, { sent, arrives, haproxy, method = 'GET', version = '1.1' }] of table) {
      const answer = await asked(sent, method, version)
      expect([what, plain(answer)]).toEqual([what, plain(haproxy ?? arrives ?? sent)])
    }
  })
})

describe('answers that no instance may send: embedded', () => {
  it.each([
    [
      'a 101 that the client did not request',
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes',
    ],
    ['a 101 without a protocol', `HTTP/1.1 101 Switching\r\n\r\n${final}`],
    ['a status below 100', 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok'],
    ['a status of two digits', 'HTTP/1.1 20 X\r\nContent-Length: 2\r\n\r\nok'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok'],
    ['lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    [
      'a coding that the client did not request',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a bad head after an interim response', 'HTTP/1.1 103 E\r\nLink: <a>\r\n\r\nHTTP/1.1 20 X\r\n\r\n'],
    ['a status line without an end', `HTTP/1.1 200 ${'x'.repeat(70_000)}`],
    ['an interim response without an end', `HTTP/1.1 103 E\r\nLink: ${'x'.repeat(70_000)}`],
  ])('%s: the client gets a 502 at once', async (_what, sent) => {
    machine = await lab.machine('a')
    const instance = await lab.tcpInstance('x', (socket) => {
      socket.on('error', () => {}).once('data', () => socket.write(sent, 'latin1'))
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    const answer = await raw(lab, machine.port, 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/HTTP\/1.1 502 Bad gateway\r\n[^]*service shop/)
    expect([instance.connections, machine.changes]).toEqual([1, []])
  })

  it('a phrase with a control character: the answer comes without the phrase', async () => {
    machine = await lab.machine('a')
    const instance = await byteServer(lab, 'x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    const answer = await asked('HTTP/1.1 404 a\x01b\r\nContent-Length: 2\r\n\r\nok')
    expect(plain(answer)).toEqual(plain('HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nok'))
  })
})

it('a 426 leaves the connection unchanged: embedded', async () => {
  machine = await lab.machine('a')
  const instance = await byteServer(lab, 'x')
  await machine.route(httpRoute({ targets: [instance.active] }))
  const client = await lab.connect(machine.port)
  const sent = 'HTTP/1.1 426 U\r\nConnection: Upgrade\r\nUpgrade: made-up\r\nContent-Length: 2\r\n\r\nno'
  client.write(`GET /b64/${Buffer.from(sent).toString('base64url')} HTTP/1.1\r\nHost: h\r\n\r\n`)
  const first = await readUntil(client, (text) => text.endsWith('no'))
  expect(first).toMatch(/^HTTP\/1.1 426 U\r\n/)
  for (const field of ['Connection: upgrade', 'Upgrade: made-up']) expect(first).toContain(`\r\n${field}\r\n`)
  client.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  expect(await readUntil(client, () => false)).toMatch(/^HTTP\/1.1 200 [^]*ok$/)
})

describe('an answer that comes in pieces', () => {
  it.each([
    'HTTP/1.1 103 E\r\nLink: <\xe9>\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 D\xe9j\xe0\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\nok',
  ])('byte by byte', async (sent) => {
    machine = await lab.machine('a')
    const instance = await lab.tcpInstance('x', (socket) => {
      socket.setNoDelay(true)
      socket
        .on('error', () => {})
        .once('data', () => {
          const next = (at: number): void => {
            if (at < sent.length) socket.write(sent[at] ?? '', 'latin1', () => setImmediate(next, at + 1))
          }
          next(0)
        })
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    const answer = await raw(lab, machine.port, 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    expect(plain(answer)).toEqual(plain(sent.replace('HTTP/1.1 100 C\r\n\r\n', '')))
  })

  it('the head alone keeps its bytes, too', async () => {
    machine = await lab.machine('a')
    const instance = await lab.tcpInstance('x', (socket) => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 D\xe9j\xe0\r\nX-A: \xe9\xc3\xa9\r\nContent-Length: 2\r\n\r\n', 'latin1'),
      )
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    const client = await lab.connect(machine.port)
    client.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    const head = await readUntil(client, (text) => text.endsWith('\r\n\r\n'))
    expect(head).toContain('HTTP/1.1 200 D\xe9j\xe0\r\nX-A: \xe9\xc3\xa9\r\n')
  })
})

/** The bytes that the client gets when the instance sends these bytes. */
function asked(sent: string, method = 'GET', version = '1.1'): Promise<string> {
  const length = method === 'POST' ? 'Content-Length: 0\r\n' : ''
  const path = `/b64/${Buffer.from(sent, 'latin1').toString('base64url')}`
  return raw(lab, machine.port, `${method} ${path} HTTP/${version}\r\nHost: h\r\nConnection: close\r\n${length}\r\n`)
}

/**
 * A message and the messages before it, without the headers that a balancer adds for its own hop, and without the case
 * and order that have no meaning.
 */
function plain(text: string): string[][] {
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...fields] = text.slice(0, Math.max(end, 0)).split('\r\n')
  if (!/^HTTP\/1\.\d \d/.test(line)) return [['rest', text]]
  const own = /^(date|connection|keep-alive|sec-websocket-accept):/
  const named = (field: string): string => field.replace(/^[^:\s]+: */, (name) => `${name.toLowerCase().trim()} `)
  const kept = fields.map(named).filter((field) => !own.test(field))
  const head = [line.slice(9), ...kept.toSorted()]
  const rest = text
    .slice(end + 4)
    .split('\r\n')
    .map(named)
    .join('\r\n')
  return [head, ...(/^HTTP\/1\.\d 1/.test(line) ? plain(rest) : [['rest', rest]])]
}
