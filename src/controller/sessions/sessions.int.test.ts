import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { basePath } from '../../api/operation.ts'
import { makeFolder } from '../testing/given.ts'
import { runController, tokens, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
beforeEach(async () => {
  folder = makeFolder('sessions')
  controller = await runController(folder.path)
})
afterEach(async () => {
  await controller.close()
  folder.remove()
})

interface Got {
  status: number
  json: Record<string, unknown>
}

/** A request as a browser sends it from the page, or with other headers. */
async function browser(
  method: string,
  path: string,
  bearer: string,
  headers: Record<string, string> = {},
): Promise<Got> {
  const { port } = controller
  const own = `tandem.localhost:${port}`
  const fetched = { host: own, origin: `http://${own}`, 'sec-fetch-site': 'same-origin', ...headers }
  const sent = request({
    ...{ host: '127.0.0.1', port, method, path: basePath + path, agent: false },
    headers: { ...fetched, authorization: `Bearer ${bearer}` },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await Array.fromAsync(response)).toString()
  return { status: response.statusCode ?? 0, json: JSON.parse(text) as Record<string, unknown> }
}

const as = (token: string): ApiClient => new ApiClient({ url: controller.url, token })

async function signIn(token: string = tokens.operator): Promise<string> {
  const { link } = await as(token).call('makeLink', { query: {} })
  const { json } = await browser('POST', '/sessions', link)
  return String(json['key'])
}

/** Reads a stream in a session. Returns whether it was cut. */
async function follow(path: string, key: string): Promise<() => boolean> {
  const stream = request({
    ...{ host: '127.0.0.1', port: controller.port, path: basePath + path, agent: false },
    headers: { host: `tandem.localhost:${controller.port}`, authorization: `Bearer ${key}` },
  })
  stream.end()
  const [response] = (await once(stream, 'response')) as [IncomingMessage]
  let isCut = response.statusCode !== 200
  response.on('error', () => (isCut = true)).on('close', () => (isCut = true))
  response.resume()
  return () => isCut
}

describe('a link', () => {
  it('starts one session, and is refused the second time', async () => {
    const { link } = await controller.client.call('makeLink', { query: {} })
    const first = await browser('POST', '/sessions', link)
    expect([first.status, first.json]).toEqual([200, expect.objectContaining({ name: 'op', role: 'operator' })])
    const second = await browser('POST', '/sessions', link)
    expect([second.status, second.json['code']]).toEqual([403, 'E_LINK_REFUSED'])
    expect(second.json['detail']).toBe('this link was used already; it works once')
  })

  it('starts one session when ten browsers use it at the same moment', async () => {
    const { link } = await controller.client.call('makeLink', { query: {} })
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser('POST', '/sessions', link)))
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 403)])
  })

  it('is no token, and neither a token nor a key is a link', async () => {
    const { link } = await controller.client.call('makeLink', { query: {} })
    expect((await browser('GET', '/status', link)).json['code']).toBe('E_TOKEN_UNKNOWN')
    for (const other of [tokens.operator, await signIn(), 'x']) {
      expect((await browser('POST', '/sessions', other)).json['code']).toBe('E_LINK_REFUSED')
    }
  })

  it('is made for no machine', async () => {
    await expect(as(tokens.a).call('makeLink', { query: {} })).rejects.toMatchObject({ code: 'E_FORBIDDEN' })
  })
})

describe('a session', () => {
  it('may do what its token may, and no more', async () => {
    const [operator, reader] = [await signIn(), await signIn(tokens.reader)]
    expect((await browser('GET', '/session', reader)).json).toMatchObject({ name: 'eyes', role: 'reader' })
    expect((await browser('GET', '/status', reader)).status).toBe(200)
    expect((await browser('GET', '/tokens', operator)).status).toBe(200)
    const refused = await browser('GET', '/tokens', reader)
    expect([refused.status, refused.json['code']]).toEqual([403, 'E_FORBIDDEN'])
    expect(refused.json['detail']).toContain('the token "eyes" (reader) does not permit this call')
  })

  it('lives on when the controller starts again, and is kept as a hash only', async () => {
    const key = await signIn()
    await controller.close()
    controller = await runController(folder.path)
    expect((await browser('GET', '/session', key)).json).toMatchObject({ name: 'op' })
    const files = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    expect(files.length).toBeGreaterThan(0)
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name)).includes(key), name).toBe(false)
    }
  })

  it('ends with its token, at once and with its streams', async () => {
    const { token } = await controller.client.call('createToken', { body: { role: 'reader', name: 'guest' } })
    const key = await signIn(token)
    const isCut = await follow('/events?follow=true', key)
    const all = await controller.client.call('tokens', {})
    const id = all.tokens.find(({ name }) => name === 'guest')?.id ?? ''
    await controller.client.call('revokeToken', { params: { id } })
    await expect.poll(isCut).toBe(true)
    const refused = await browser('GET', '/status', key)
    expect([refused.status, refused.json['code']]).toEqual([401, 'E_SESSION_ENDED'])
    await controller.close()
    controller = await runController(folder.path)
    expect((await browser('GET', '/status', key)).json['code']).toBe('E_SESSION_ENDED')
  })

  it('ends with the tunnel that its link was made for, also for a reader', async () => {
    const tunnel = 'tunnel-0123456789'
    const { link } = await as(tokens.reader).call('makeLink', { query: { tunnel } })
    const carried = String((await browser('POST', '/sessions', link)).json['key'])
    const direct = await signIn(tokens.reader)
    const end = () => as(tokens.reader).call('endTunnelSessions', { params: { tunnel } })
    expect([await end(), await end()]).toEqual([{ ended: 1 }, { ended: 0 }])
    expect((await browser('GET', '/session', carried)).json['code']).toBe('E_SESSION_ENDED')
    expect((await browser('GET', '/session', direct)).status).toBe(200)
  })

  it('ends when its user ends it, and no other does', async () => {
    const [mine, yours] = [await signIn(), await signIn()]
    const [isCut, isOthersCut] = [await follow('/live', mine), await follow('/live', yours)]
    expect((await browser('POST', '/session/end', mine)).json).toEqual({ ended: true })
    expect((await browser('GET', '/session', mine)).json['code']).toBe('E_SESSION_ENDED')
    expect((await browser('GET', '/session', yours)).status).toBe(200)
    await expect.poll(isCut).toBe(true)
    expect(isOthersCut()).toBe(false)
    expect(await controller.client.call('endSession', {})).toEqual({ ended: false })
  })
})

describe('other sites', () => {
  it.each([
    ['another name for this computer', { host: 'evil.example' }, 'E_FOREIGN_HOST'],
    ['the name of a service', { host: 'shop.localhost:8001' }, 'E_FOREIGN_HOST'],
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 'E_FOREIGN_SITE'],
    [
      'a service on another port',
      { origin: 'http://tandem.localhost:8001', 'sec-fetch-site': 'same-site' },
      'E_FOREIGN_SITE',
    ],
    ['an old browser on another site', { origin: 'null', 'sec-fetch-site': 'none' }, 'E_FOREIGN_SITE'],
  ])('%s gets in neither with a link nor with a session', async (_, headers, code) => {
    const key = await signIn()
    const { link } = await controller.client.call('makeLink', { query: {} })
    expect((await browser('POST', '/sessions', link, headers)).json['code']).toBe(code)
    expect((await browser('GET', '/status', key, headers)).json['code']).toBe(code)
    // The link was not used up by that.
    expect((await browser('POST', '/sessions', link)).status).toBe(200)
  })

  it('do not matter for a call with a token', async () => {
    const elsewhere = { host: 'tandem.example', origin: 'https://x.example', 'sec-fetch-site': 'cross-site' }
    expect((await browser('GET', '/status', tokens.reader, elsewhere)).status).toBe(200)
  })
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

describe.runIf(hasIpv6)('the second address of this computer', () => {
  it('is held too, and answers the same', async () => {
    const sent = request({ host: '::1', port: controller.port, path: '/healthz', agent: false })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    expect([response.statusCode, Buffer.concat(await Array.fromAsync(response)).toString()]).toEqual([
      200,
      '{"ok":true,"problem":null}',
    ])
  })

  it('keeps a controller from starting where another process holds it', async () => {
    const other = createServer().listen(0, '::1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const second = makeFolder('sessions-taken')
    try {
      await expect(runController(second.path, null, port)).rejects.toMatchObject({
        ...{ code: 'E_PORT_TAKEN', message: `another process listens on [::1]:${port}` },
      })
    } finally {
      second.remove()
      other.close()
    }
  })

  it.runIf(process.getuid?.() === 0)(
    'cannot be taken by another user, who keeps a controller from it only',
    async () => {
      const nobody = 65_534
      // It becomes another user only then, because that one may not be allowed to run this Node.
      const become = `process.setgid(${nobody}), process.setuid(${nobody});`
      const listen =
        "require('net').createServer().on('error', ({ code }) => console.log(code)).listen(PORT, '::1', function () { console.log(this.address().port) })"
      const asNobody = async (port: number): Promise<{ child: ChildProcess; said: string }> => {
        const argv = ['-e', become + listen.replace('PORT', String(port))]
        const child = spawn(process.execPath, argv, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] })
        const [said] = (await once(child.stdout, 'data')) as [Buffer] // the arguments of 'data'
        return { child, said: String(said).trim() }
      }
      const late = await asNobody(controller.port)
      const { child: early, said: port } = await asNobody(0)
      const second = makeFolder('sessions-foreign')
      try {
        expect(late.said).toBe('EADDRINUSE')
        await expect(runController(second.path, null, Number(port))).rejects.toMatchObject({
          ...{ code: 'E_PORT_TAKEN', message: `another process listens on [::1]:${port}` },
        })
      } finally {
        second.remove()
        early.kill()
      }
    },
  )
})
