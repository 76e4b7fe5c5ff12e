import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeServerSentEvent } from '../../lib/serverSentEvents.ts'
import { reportSchema, type Report } from '../../protocol/report.ts'

/** The controller as an agent sees it: a real HTTP server that the test controls. */
export class FakeController {
  readonly reports: Report[] = []
  /** When each stream was requested, in monotonic time. */
  readonly streamsAt: number[] = []
  /** Received answers, by request id. */
  readonly answers = new Map<string, string>()
  readonly answerEnded = new Map<string, PromiseWithResolvers<void>>()
  /** Returns the status for a report; `null` leaves the report unanswered. */
  onReport: (report: Report) => number | null = () => 200
  /** Refuses streams with this status. */
  refuseStreams = 0
  #streams = new Set<ServerResponse>()
  #server = createServer((request, response) => void this.#answer(request, response))
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get connected(): number {
    return this.#streams.size
  }

  /** Starts to listen; after `close`, on the same port again. */
  async listen(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port // it listens on TCP
  }

  send(event: string, data: unknown): void {
    this.sendRaw(encodeServerSentEvent({ event, data: JSON.stringify(data) }))
  }

  sendRaw(text: string): void {
    for (const stream of this.#streams) stream.write(text)
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?')
    if (path.endsWith('/agent/stream')) return this.#stream(response)
    if (path.includes('/agent/answers/')) return this.#takeAnswer(path.split('/').at(-1) ?? '', request, response)
    const text = Buffer.concat(await Array.fromAsync(request)).toString()
    if (path.endsWith('/agent/reports')) {
      const report = reportSchema.parse(JSON.parse(text))
      this.reports.push(report)
      const status = this.onReport(report)
      if (status !== null) response.writeHead(status, { 'content-type': 'application/json' }).end('{"position":1}')
    } else response.writeHead(404).end()
  }

  #stream(response: ServerResponse): void {
    this.streamsAt.push(performance.now())
    if (this.refuseStreams !== 0) return void response.writeHead(this.refuseStreams).end('no')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }

  async #takeAnswer(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ended = Promise.withResolvers<void>()
    this.answers.set(id, '')
    this.answerEnded.set(id, ended)
    try {
      for await (const chunk of request) this.answers.set(id, (this.answers.get(id) ?? '') + String(chunk))
      response.end('{"wanted":true}')
    } catch {
      // The agent broke the request off: the test sees the part received until then.
    }
    ended.resolve()
  }
}
