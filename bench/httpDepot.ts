import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { ObjectKey } from '../src/releases/objectKey.ts'
import type { ReleaseDepot } from '../src/releases/releaseDepot.ts'
import type { ReleaseSource, ReleaseTarget } from '../src/releases/releaseTarget.ts'

/** The depot over HTTP, in the way of the API: requests in JSON, frames as bodies in both directions. */
export async function serve(depot: ReleaseDepot, incoming: IncomingMessage): Promise<Readable> {
  if (incoming.url === '/put') {
    await depot.put(incoming)
    return Readable.from(['{}'])
  }
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer) // no encoding was set
  const body = Buffer.concat(pieces)
  if (incoming.url === '/commit') return Readable.from([JSON.stringify(await depot.commit(body))])
  const keys = JSON.parse(body.toString()) as ObjectKey[] // written below
  if (incoming.url === '/missing') return Readable.from([JSON.stringify(await depot.missing(keys))])
  return Readable.from(depot.fetch(keys))
}

/** The client of `serve`. */
export class HttpDepot implements ReleaseTarget, ReleaseSource {
  readonly #port: number
  constructor(port: number) {
    this.#port = port
  }
  async missing(keys: readonly ObjectKey[]): Promise<ObjectKey[]> {
    return JSON.parse(await this.#text('/missing', [JSON.stringify(keys)])) as ObjectKey[] // written above
  }
  async put(frames: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#text('/put', frames)
  }
  async commit(manifest: Uint8Array): Promise<{ id: string }> {
    return JSON.parse(await this.#text('/commit', [manifest])) as { id: string } // written above
  }
  async *fetch(keys: readonly ObjectKey[]): AsyncGenerator<Uint8Array> {
    yield* await this.#ask('/fetch', [JSON.stringify(keys)])
  }
  async #text(path: string, body: Parameters<typeof Readable.from>[0]): Promise<string> {
    return Buffer.concat(await (await this.#ask(path, body)).toArray()).toString()
  }
  async #ask(path: string, body: Parameters<typeof Readable.from>[0]): Promise<IncomingMessage> {
    const asking = request({ port: this.#port, host: '127.0.0.1', path, method: 'POST' })
    Readable.from(body).pipe(asking)
    const [answer] = (await once(asking, 'response')) as [IncomingMessage] // node:http
    return answer
  }
}
