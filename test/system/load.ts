import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { WebSocket } from 'ws'

/** A failed request of the load, which never retries. */
export interface Failure {
  what: string
  entry: string
  at: number
  why: string
}

/** A long connection from its opening to its end, in ms since the epoch. `instance` if the service sent its name. */
export interface LongConnection {
  what: 'sse' | 'websocket' | 'tcp'
  entry: string
  openedAt: number
  endedAt: number
  /** Whether the connection ended with the service's own goodbye. */
  goodbye: boolean
}

export interface LoadResult {
  requests: number
  slow: number
  uploads: number
  lines: number
  failures: Failure[]
  /**
   * Uploads and slow requests that broke off after the drain time: on a busy computer they take longer. They are no
   * failures.
   */
  outlasted: Failure[]
  long: LongConnection[]
  /** Versions in the answers, in order of their first answer. */
  versions: string[]
  /** Latency of the short requests, in ms. */
  latencies: number[]
}

interface Options {
  /** Base URLs of the machines' entries, used alternately. */
  entries: string[]
  perSecond: number
  /** `host:port` of the machines' TCP entries; none: no TCP load. */
  tcp?: string[]
  uploadBytes?: number
  /** Drain time of the services, in ms: longer requests may be cut. */
  drainMs?: number
  /** Sends only the short requests. */
  shortOnly?: boolean
  /** The requested host. Default: that of the entry. */
  host?: string
}

/**
 * Sends short keep-alive requests at a steady rate to all entries, and at any time one 2 s request, one upload, one
 * event stream and one WebSocket to each entry; with `tcp`, also short connections and one silent one.
 */
export class Load {
  readonly result: LoadResult = {
    ...{
      requests: 0,
      slow: 0,
      uploads: 0,
      lines: 0,
      failures: [],
      outlasted: [],
      long: [],
      versions: [],
      latencies: [],
    },
  }
  #options: Options
  #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  #stopping = new AbortController()
  #running: Promise<unknown>[] = []
  #open = new Set<{ close: () => void }>()

  constructor(options: Options) {
    this.#options = options
  }

  start(): void {
    const { entries, tcp = [] } = this.#options
    this.#running.push(this.#shortRequests())
    for (const entry of this.#options.shortOnly ? [] : entries) {
      this.#running.push(this.#repeat(() => this.#slow(entry)))
      this.#running.push(this.#repeat(() => this.#upload(entry)))
      this.#running.push(this.#repeat(() => this.#events(entry)))
      this.#running.push(this.#repeat(() => this.#webSocket(entry)))
    }
    for (const entry of tcp) {
      this.#running.push(this.#repeat(() => this.#tcpShort(entry)))
      this.#running.push(this.#repeat(() => this.#tcpSilent(entry)))
    }
  }

  /** Waits for requests in progress, closes the long connections, and returns the result. */
  async stop(): Promise<LoadResult> {
    this.#stopping.abort()
    for (const { close } of this.#open) close()
    await Promise.all(this.#running)
    this.#agent.destroy()
    return this.result
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) await work()
  }

  async #shortRequests(): Promise<void> {
    const { entries, perSecond } = this.#options
    const underWay = new Set<Promise<void>>()
    const startedAt = performance.now()
    for (let sent = 0; !this.#stopping.signal.aborted;) {
      const due = ((performance.now() - startedAt) / 1000) * perSecond
      for (; sent < due; sent++) {
        const one = this.#short(entries[sent % entries.length] ?? '')
        underWay.add(one)
        void one.finally(() => underWay.delete(one))
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond))
    }
    await Promise.all(underWay)
  }

  async #short(entry: string): Promise<void> {
    const startedAt = performance.now()
    await this.#attempt('short', entry, async () => {
      const { text, version } = await this.#ask(entry, '/')
      if (!text.startsWith('hello ')) throw new Error(`answered ${text.slice(0, 80)}`)
      if (!this.result.versions.includes(version)) this.result.versions.push(version)
      this.result.requests++
      this.result.latencies.push(performance.now() - startedAt)
    })
  }

  async #slow(entry: string): Promise<void> {
    await this.#attempt('slow', entry, async () => {
      const { text } = await this.#ask(entry, '/slow?ms=2000')
      if (!text.startsWith('slow ')) throw new Error(`answered ${text.slice(0, 80)}`)
      this.result.slow++
    })
  }

  /** 20 MB in about two seconds, so that an upload is always in progress. */
  async #upload(entry: string): Promise<void> {
    await this.#attempt('upload', entry, async () => {
      const bytes = this.#options.uploadBytes ?? 20_000_000
      const piece = Buffer.alloc(Math.ceil(bytes / 40), 'tandem')
      const hash = createHash('sha256')
      const sending = request(`${entry}/upload`, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-length': piece.length * 40 },
      })
      const answered = answerTo(sending)
      for (let sent = 0; sent < 40 && !sending.destroyed; sent++) {
        hash.update(piece)
        if (!sending.write(piece)) await Promise.race([once(sending, 'drain'), answered])
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      sending.end()
      const response = await answered
      const text = await readAll(response)
      if (response.statusCode !== 200 || text !== hash.digest('hex')) {
        throw new Error(`answered ${response.statusCode} ${text.slice(0, 80)}`)
      }
      this.result.uploads++
    })
  }

  async #events(entry: string): Promise<void> {
    await this.#attempt('sse', entry, async () => {
      const asking = request(`${entry}/events`, { agent: false })
      asking.end()
      const response = await answerTo(asking)
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode} ${await readAll(response)}`)
      const long = this.#opened('sse', entry, () => asking.destroy())
      let tail = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        tail = (tail + text).slice(-40)
      })
      await ended(response)
      this.#closed(long, tail.includes('bye'))
    })
  }

  async #webSocket(entry: string): Promise<void> {
    await this.#attempt('websocket', entry, async () => {
      const client = new WebSocket(`${entry.replace('http', 'ws')}/ws`)
      await once(client, 'open')
      const long = this.#opened('websocket', entry, () => client.terminate())
      client.on('error', () => {})
      const talk = setInterval(() => client.send('tick'), 200)
      const [code] = (await once(client, 'close')) as [number] // the arguments of 'close'
      clearInterval(talk)
      this.#closed(long, code === 1001)
    })
  }

  async #tcpShort(entry: string): Promise<void> {
    await this.#attempt('line', entry, async () => {
      const socket = connect(portOf(entry))
      let [text, why] = ['', 'closed']
      socket.on('error', ({ message }) => (why = message))
      socket.on('data', (bytes) => {
        text += String(bytes)
        if (text.includes('\n')) socket.end()
      })
      socket.write('question\n')
      await once(socket, 'close')
      // On a slow computer, the goodbye may come before this end has closed.
      if (!/ question\n(?:bye\n)?$/.test(text)) throw new Error(`answered ${JSON.stringify(text)}, ${why}`)
      this.result.lines++
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }

  /** Sends nothing after its first line: only the service may close the connection. */
  async #tcpSilent(entry: string): Promise<void> {
    await this.#attempt('tcp', entry, async () => {
      const socket = connect(portOf(entry))
      socket.on('error', () => {})
      socket.write('first\n')
      let text = ''
      socket.on('data', (bytes) => {
        text += String(bytes)
      })
      const long = this.#opened('tcp', entry, () => socket.destroy())
      await once(socket, 'close')
      if (!text.includes(' first\n') && !long.stopped) throw new Error(`ended with ${JSON.stringify(text)}`)
      this.#closed(long, text.endsWith('bye\n'))
    })
  }

  async #ask(entry: string, path: string): Promise<{ text: string; version: string }> {
    const { host } = this.#options
    const asking = request(`${entry}${path}`, {
      agent: this.#agent,
      ...(host === undefined ? {} : { headers: { host } }),
    })
    asking.end()
    const response = await answerTo(asking)
    const text = await readAll(response)
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode} ${text.slice(0, 200)}`)
    return { text, version: String(response.headers['x-version']) }
  }

  async #attempt(what: string, entry: string, work: () => Promise<void>): Promise<void> {
    const from = performance.now()
    try {
      await work()
    } catch (error) {
      const stopped = this.#stopping.signal.aborted && what !== 'short'
      const { drainMs = Number.POSITIVE_INFINITY } = this.#options
      const tookMs = performance.now() - from
      const mayBeCut = ['upload', 'slow', 'line'].includes(what) && tookMs > drainMs
      const failed = { what, entry, at: Date.now(), why: `${String(error)}, after ${Math.round(tookMs)} ms` }
      if (!stopped) this.result[mayBeCut ? 'outlasted' : 'failures'].push(failed)
    }
  }

  #opened(what: LongConnection['what'], entry: string, close: () => void): Opened {
    const opened: Opened = { what, entry, openedAt: Date.now(), stopped: false, close: () => {} }
    opened.close = () => {
      opened.stopped = true
      close()
    }
    this.#open.add(opened)
    if (this.#stopping.signal.aborted) opened.close()
    return opened
  }

  #closed(opened: Opened, goodbye: boolean): void {
    this.#open.delete(opened)
    const { what, entry, openedAt, stopped } = opened
    if (stopped) return
    this.result.long.push({ what, entry, openedAt, endedAt: Date.now(), goodbye })
  }
}

interface Opened {
  what: LongConnection['what']
  entry: string
  openedAt: number
  /** True if the load closed the connection itself. */
  stopped: boolean
  close: () => void
}

/** Rejects with the request's error, whenever that is awaited: the request may fail between two of its pieces. */
function answerTo(asking: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  asking.on('response', resolve).on('error', reject)
  promise.catch(() => {})
  return promise
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer) // no encoding was set
  return Buffer.concat(parts).toString()
}

/** Resolves at the end of a response, complete or not. */
async function ended(response: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response
    .on('end', resolve)
    .on('close', resolve)
    .on('error', () => resolve())
  await promise
}

function portOf(entry: string): { host: string; port: number } {
  const [host = '', port] = entry.split(':')
  return { host, port: Number(port) }
}
