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

async function serving(answer: RequestListener, silenceMs: number): Promise<ObjectsClient> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // the server listens on TCP
  return new ObjectsClient(new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'x'.repeat(20) }), { silenceMs })
}

it('gives up a fetch that gets no answer', async () => {
  const objects = await serving(() => {}, 50)
  await expect(Array.fromAsync(objects.fetch(['blob:1']))).rejects.toMatchObject({
    code: 'E_CONTROLLER_UNREACHABLE',
    message: expect.stringContaining('no data arrived for 0.05 s'),
  })
})

it('ends a fetch that has no answer yet when its caller aborts it', async () => {
  const abort = new AbortController()
  const objects = await serving(() => abort.abort(), 60_000)
  await expect(Array.fromAsync(objects.fetch(['blob:1'], { signal: abort.signal }))).rejects.toThrow('aborted')
})
