import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Starts a controller with the answers of a test. Returns the environment that makes a command use it. */
export async function fakeController(answer: RequestListener): Promise<{ TANDEM_URL: string; TANDEM_TOKEN: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has an address
  return { TANDEM_URL: `http://127.0.0.1:${port}`, TANDEM_TOKEN: 'tdm_0123456789' }
}

/** Sends messages on a stream and keeps the stream open. */
export function sendEvents(response: ServerResponse, ...messages: unknown[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  for (const message of messages) response.write(`data: ${JSON.stringify(message)}\n\n`)
}
