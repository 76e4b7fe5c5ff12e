import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Live, Overview } from '../src/api/overview.ts'
import type { Difference } from '../src/protocol/difference.ts'
import { decodeServerSentEvents, encodeServerSentEvent } from '../src/lib/serverSentEvents.ts'

const livePath = '/api/v1/live'

/** How an instance looks at its next update: nine of ten take requests. */
const states = [...Array.from({ length: 9 }, () => 'ready' as const), 'starting' as const]
/** A controller reads the numbers of all instances so often. */
const numbersMs = 2_000

type Change = Partial<Pick<Difference, 'lists' | 'records'>>

/**
 * Stands between page and controller: passes everything on but the live stream, whose first message it takes from the
 * controller, and which it goes on with itself: many updates a second, each a message of its own. A controller would
 * send five messages a second at most.
 */
export class BusyStream implements AsyncDisposable {
  updates = 0
  readonly #server: Server
  readonly #perSecond: number

  static async start(controller: string, perSecond: number): Promise<BusyStream> {
    const busy = new BusyStream(controller, perSecond)
    busy.#server.listen(0, '127.0.0.1')
    await once(busy.#server, 'listening')
    return busy
  }

  private constructor(controller: string, perSecond: number) {
    this.#perSecond = perSecond
    this.#server = createServer((asked, answer) => {
      const { url: path = '/', method, headers } = asked
      const passed = request(controller + path, { method, headers }, (answered) => {
        if (path === livePath && answered.statusCode === 200) return void this.#goOn(answered, answer)
        answer.writeHead(answered.statusCode ?? 502, answered.headers)
        answered.pipe(answer)
      })
      passed.on('error', () => answer.destroy())
      if (path === livePath) passed.removeHeader('accept-encoding')
      asked.pipe(passed)
    })
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo // it listens on TCP
    return `http://tandem.localhost:${port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }

  async #goOn(answered: IncomingMessage, answer: ServerResponse): Promise<void> {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    let overview: Overview | null = null
    for await (const { data } of decodeServerSentEvents(answered)) {
      const message = JSON.parse(data) as Live // by the contract
      if (message.kind !== 'whole') continue
      answer.write(encodeServerSentEvent({ data }))
      overview = message.overview
      break
    }
    if (overview === null) return void answer.destroy()
    const updates = updatesOf(overview)
    const startedAt = performance.now()
    let sent = 0
    const timer = setInterval(() => {
      // As many as are due: a timer that is late must not make the stream slower.
      for (; sent < ((performance.now() - startedAt) / 1_000) * this.#perSecond; sent++) {
        const change = { set: {}, lists: {}, records: {}, gone: [], ...updates(sent, this.#perSecond) }
        const message: Live = { kind: 'change', at: new Date().toISOString(), change }
        answer.write(encodeServerSentEvent({ data: JSON.stringify(message) }))
        this.updates++
      }
    }, 1_000 / this.#perSecond)
    answer.on('close', () => clearInterval(timer))
  }
}

/** The update of each number: one instance changes its state and its work, and now and then all numbers change. */
function updatesOf({ services, machines, cells }: Overview): (number: number, perSecond: number) => Change {
  const all = services.map((service) => ({ ...service }))
  const random = (most: number): number => Math.floor(most * Math.random())
  const figures = (): object => ({ perSecond: random(2_000) / 10, errors: random(20) / 1_000, held: 0 })
  return (number, perSecond) => {
    const at = number % all.length
    const service = all[at]
    const index = Math.floor(number / all.length) % Math.max(1, machines.length)
    const instance = service?.instances[index]
    if (!service || !instance) return {}
    const state = states[random(states.length)] ?? 'ready'
    service.instances = service.instances.with(index, { ...instance, state, since: new Date().toISOString() })
    const name = `${service.service} ${instance.machine}`
    const isReading = number % Math.round((numbersMs / 1_000) * perSecond) === 0
    const read = isReading
      ? Object.fromEntries(Object.keys(cells).map((key) => [key, figures()]))
      : { [name]: figures() }
    return {
      lists: { services: [...run(0, at), { item: service }, ...run(at + 1, all.length)] },
      records: { work: { set: { [instance.id]: random(20) }, gone: [] }, cells: { set: read, gone: [] } },
    }
  }
}

const run = (from: number, to: number): [number, number][] => (from < to ? [[from, to]] : [])
