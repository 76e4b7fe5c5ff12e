import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from '../testing/given.ts'
import { runController, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
beforeAll(async () => {
  folder = makeFolder('page')
  controller = await runController(folder.path)
})
afterAll(async () => {
  await controller.close()
  folder.remove()
})

interface Got {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Got> {
  const { port } = controller
  const host = `tandem.localhost:${port}`
  const sent = request({ host: '127.0.0.1', port, path, agent: false, headers: { host, ...headers } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const body = Buffer.concat(await Array.fromAsync(response))
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

const visit = { accept: 'text/html,application/xhtml+xml' }

describe('the page', () => {
  it('is at every address of its own, with a policy that lets nothing of others in', async () => {
    for (const path of ['/', '/rollouts/abc?from=1', '/services/shop']) {
      const { status, headers, body } = await get(path, visit)
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(String(body)).toContain('<div id="page">')
      expect(headers).toMatchObject({
        'cache-control': 'no-cache',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/)
    }
  })

  it('names only files that are there, compressed as the browser takes them, and unchanged', async () => {
    const { body } = await get('/', visit)
    const files = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) {
      const plain = await get(path)
      expect([path, plain.status, plain.headers['content-encoding']]).toEqual([path, 200, undefined])
      const [brotli, gzipped] = await Promise.all(
        ['gzip, deflate, br, zstd', 'gzip'].map((encodings) => get(path, { 'accept-encoding': encodings })),
      )
      expect(brotli?.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' })
      expect(brotliDecompressSync(brotli?.body ?? '')).toEqual(plain.body)
      expect(gunzipSync(gzipped?.body ?? '')).toEqual(plain.body)
      const again = await get(path, { 'if-none-match': String(plain.headers['etag']) })
      expect([again.status, again.body.length]).toEqual([304, 0])
    }
    const asset = files.find((path) => path.startsWith('/assets/')) ?? ''
    expect((await get(asset)).headers['cache-control']).toContain('immutable')
  })

  it('is no answer to a program, to another method, or below the path of the API', async () => {
    expect((await get('/nope')).status).toBe(404)
    expect((await get('/assets/nope.js', visit)).status).toBe(404)
    expect((await get('/../package.json', visit)).status).toBe(404)
    expect((await get('/api/v1/nope', visit)).headers['content-type']).toBe('application/problem+json')
    expect((await controller.ask('POST', '/')).json['code']).toBe('E_NOT_FOUND')
  })

  it('refuses every host that is not this computer', async () => {
    for (const host of ['127.0.0.1', '[::1]:7480', 'TANDEM.localhost:1']) {
      expect([host, (await get('/', { ...visit, host })).status]).toEqual([host, 200])
    }
    for (const host of ['evil.example', 'tandem.localhost.evil.example', '10.0.0.1:7480', 'shop.localhost']) {
      const { status, body } = await get('/', { ...visit, host })
      expect([host, status]).toEqual([host, 421])
      expect(String(body)).toContain('tandem open')
    }
  })
})
