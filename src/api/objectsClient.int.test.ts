import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ApiClient } from './client.ts'
import { ObjectsClient } from './objectsClient.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function serving(
  answer: RequestListener,
  options: ConstructorParameters<typeof ObjectsClient>[1],
): Promise<ObjectsClient> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // the server listens on TCP
  return new ObjectsClient(new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'x'.repeat(20) }), options)
}

it('gives up a fetch that gets no answer', async () => {
  const objects = await serving(() => {}, { silenceMs: 50 })
  await expect(Array.fromAsync(objects.fetch(['blob:1']))).rejects.toMatchObject({
    code: 'E_CONTROLLER_UNREACHABLE',
    message: expect.stringContaining('no data arrived for 0.05 s'),
  })
})

it('ends a fetch that has no answer yet when its caller aborts it', async () => {
  const abort = new AbortController()
  const objects = await serving(() => abort.abort(), { silenceMs: 60_000 })
  await expect(Array.fromAsync(objects.fetch(['blob:1'], { signal: abort.signal }))).rejects.toThrow('aborted')
})

it('publishes without the commit on a controller that does not take one, and never hides another refusal', async () => {
  const bodies: object[] = []
  const source = { commit: 'c'.repeat(40), subject: 'one', dirty: false }
  const refuse = (subject: string): string => {
    const about = {
      type: '',
      title: '',
      status: 400,
      detail: 'the body has no such field',
      code: 'E_USAGE',
      next: null,
    }
    return JSON.stringify({ ...about, subject })
  }
  let refused = 'source'
  const objects = await serving(
    (request, response) => {
      void Array.fromAsync(request).then((chunks) => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as object // the client's own
        bodies.push(body)
        if ('source' in body) {
          response.writeHead(400, { 'content-type': 'application/problem+json' }).end(refuse(refused))
        } else response.end(JSON.stringify({ position: 1, service: 'shop', release: 'r', fresh: true }))
      })
    },
    { source },
  )
  expect(await objects.commit(Buffer.from('m'))).toEqual({ id: 'r' })
  expect(bodies).toEqual([{ manifest: 'm', source }, { manifest: 'm' }])
  refused = 'manifest'
  await expect(objects.commit(Buffer.from('m'))).rejects.toMatchObject({ code: 'E_USAGE', subject: 'manifest' })
})
