import { Agent, request } from '../lib/nodeHttp.ts'

/** Each entry gets this many kept-alive connections, and about this many requests per second on them. */
const connectionsPerEntry = 4
const requestsPerSecond = 100
/** Duration of the slow requests; one is always in progress at each entry. */
const slowMs = 2_000
/** A request without an answer for this long has failed. */
const timeoutMs = 30_000
/** Number of failures whose text is kept; all failures are counted. */
const mostFailuresKept = 20

export interface LoadReport {
  requests: number
  failed: number
  /** Texts of the first failures. */
  failures: string[]
  seconds: number
  /** Latency of the short requests, in milliseconds. */
  medianMs: number
  p99Ms: number
  /** Requests answered by each release, by the header `x-release`. */
  releases: Record<string, number>
}

/** Clients at every entry that never retry, so that every failed request counts. */
export class LoadGenerator {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #startedAt = performance.now()
  readonly #running: Promise<void>[]
  readonly #latencies: number[] = []
  readonly #failures: string[] = []
  readonly #releases = new Map<string, number>()
  #requests = 0
  #failed = 0
  #stopped = false

  constructor(entries: readonly string[]) {
    this.#running = entries.flatMap((entry) => [
      ...Array.from({ length: connectionsPerEntry }, () => this.#short(entry)),
      this.#slow(entry),
    ])
  }

  get requests(): number {
    return this.#requests
  }

  get failed(): number {
    return this.#failed
  }

  /** Stops after the requests in progress have ended. */
  async stop(): Promise<LoadReport> {
    this.#stopped = true
    await Promise.all(this.#running)
    this.#agent.destroy()
    const sorted = this.#latencies.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return {
      requests: this.#requests,
      failed: this.#failed,
      failures: this.#failures,
      seconds: (performance.now() - this.#startedAt) / 1000,
      medianMs: at(0.5),
      p99Ms: at(0.99),
      releases: Object.fromEntries(this.#releases),
    }
  }

  async #short(entry: string): Promise<void> {
    const everyMs = (1_000 * connectionsPerEntry) / requestsPerSecond
    while (!this.#stopped) {
      const startedAt = performance.now()
      await this.#ask(`${entry}/`)
      const took = performance.now() - startedAt
      this.#latencies.push(took)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, everyMs - took)))
    }
  }

  async #slow(entry: string): Promise<void> {
    while (!this.#stopped) await this.#ask(`${entry}/slow?ms=${slowMs}`)
  }

  async #ask(url: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const fail = (why: string): void => {
      this.#failed++
      if (this.#failures.length < mostFailuresKept) this.#failures.push(`${url}: ${why}`)
      resolve()
    }
    this.#requests++
    const asked = request(url, { agent: this.#agent, timeout: timeoutMs }, (response) => {
      response.on('error', (error) => fail(error.message))
      response.on('end', () => {
        if (!response.complete) return fail('the answer was incomplete')
        if (response.statusCode !== 200) return fail(`status ${response.statusCode}`)
        const release = String(response.headers['x-release'])
        this.#releases.set(release, (this.#releases.get(release) ?? 0) + 1)
        resolve()
      })
      response.resume()
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)))
    asked.on('error', (error) => fail(error.message))
    asked.end()
    await promise
  }
}
