import { Agent, request } from '../../lib/nodeHttp.ts'

/** Each entry gets so many connections, kept alive, and about so many requests a second on them. */
const connectionsPerEntry = 4
const requestsPerSecond = 100
/** One slow request is always under way at each entry. */
const slowMs = 2_000
/** No answer for this long is a failure. */
const timeoutMs = 30_000
/** Failures kept in words; all are counted. */
const mostFailuresKept = 20

export interface LoadReport {
  requests: number
  failed: number
  /** What went wrong, the first of them. */
  failures: string[]
  seconds: number
  /** Of the short requests, in milliseconds. */
  medianMs: number
  p99Ms: number
  /** Requests answered by each release, by the header `x-release`. */
  releases: Record<string, number>
}

/** People at every entry who never try again: what fails once has failed. */
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

  /** Lets what is under way end. */
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
        if (!response.complete) return fail('the answer was cut short')
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
