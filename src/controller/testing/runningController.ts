import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { ApiClient } from '../../api/client.ts'
import { ObjectsClient } from '../../api/objectsClient.ts'
import { DirectoryStore } from '../../releases/directoryStore.ts'
import { startController, type RunningController } from '../startController.ts'
import { quiet } from './given.ts'
import { patienceMs } from '../../lib/testing/patience.ts'

export const tokens = {
  operator: 'operator-token-0123456789',
  reader: 'reader-token-0123456789',
  a: 'agent-a-token-0123456789',
  b: 'agent-b-token-0123456789',
}

export interface TestController extends RunningController {
  port: number
  client: ApiClient
  objects: ObjectsClient
  /** Sends a request unchanged; with `token` null it carries no token. */
  ask: (method: string, path: string, given?: { token?: string | null; body?: string; type?: string }) => Promise<Asked>
  /** Sends raw bytes; resolves with the bytes received until the connection ends, or until `limitMs`. */
  raw: (bytes: string | Uint8Array, limitMs?: number) => Promise<string>
}

export interface Asked {
  status: number
  type: string
  text: string
  json: Record<string, unknown>
}

/** A whole controller on a free port, or on `asked`, with its data in `folder`. */
export async function runController(
  folder: string,
  storeCapBytes: number | null = null,
  asked = 0,
): Promise<TestController> {
  const running = await startController({
    ...{ config: { cluster: 'test', laptop: false }, data: folder, host: '127.0.0.1', port: asked, version: '0' },
    ...{ logger: quiet, store: await DirectoryStore.open(join(folder, 'releases')), storeCapBytes },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    admit: [
      { token: tokens.operator, identity: { role: 'operator', machine: null, name: 'op' } },
      { token: tokens.reader, identity: { role: 'reader', machine: null, name: 'eyes' } },
      { token: tokens.a, identity: { role: 'agent', machine: 'a', name: 'a' } },
      { token: tokens.b, identity: { role: 'agent', machine: 'b', name: 'b' } },
    ],
  })
  const port = Number(new URL(running.url).port)
  const client = new ApiClient({ url: running.url, token: tokens.operator })
  return {
    ...running,
    ...{ port, client, objects: new ObjectsClient(client) },
    ask: async (method, path, { token = tokens.operator, body, type = 'application/json' } = {}) => {
      const sent = request({
        ...{ host: '127.0.0.1', port, method, path, agent: false },
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
        },
      })
      sent.on('error', () => {}) // the server may cut off a large body that it refuses while the body is being sent
      sent.end(body)
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      const text = Buffer.concat(await Array.fromAsync(response)).toString()
      const contentType = response.headers['content-type'] ?? ''
      const json = contentType.includes('json') && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}
      return { status: response.statusCode ?? 0, type: contentType, text, json }
    },
    raw: async (bytes, limitMs = patienceMs) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
      const timer = setTimeout(() => socket.destroy(), limitMs)
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      socket.on('end', () => socket.end())
      socket.on('error', () => {}) // only the bytes received until then count
      socket.write(bytes)
      await once(socket, 'close').catch(() => {})
      clearTimeout(timer)
      return text
    },
  }
}
