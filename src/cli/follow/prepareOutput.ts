import type { ApiClient } from '../../api/client.ts'
import type { RolloutView } from '../../api/views.ts'
import { lastLines } from './lastLines.ts'

/** Number of lines shown of a `prepare` that had ended before this command started to follow. */
const lateLines = 20
/** Time limit for reading the rest of the output once `prepare` has ended; the rollout continues meanwhile. */
const restMs = 5_000

type Show = (machine: string, text: string) => Promise<void> | void
type Prepare = NonNullable<RolloutView['prepare']>

/** Shows the output of a rollout's `prepare` line by line while it runs, and all of it before the phase ends. */
export class PrepareOutput {
  readonly #client: ApiClient
  readonly #service: string
  /** True if `prepare` had ended before this object was created. */
  readonly #isLate: boolean
  readonly #signal: AbortSignal
  readonly #show: Show
  readonly #stop = new AbortController()
  #follows: Promise<void> | null = null
  #isOver = false
  /** Timestamp of the newest line shown, and the number of lines shown with that timestamp. */
  #newest: { at: string; count: number } | null = null

  constructor(client: ApiClient, first: RolloutView, signal: AbortSignal, show: Show) {
    this.#client = client
    this.#service = first.service
    this.#isLate = typeof first.prepare?.finishedAt === 'string'
    this.#signal = signal
    this.#show = show
  }

  /** Takes the present state of the rollout. Resolves when all its new output is shown. */
  async update({ prepare }: RolloutView): Promise<void> {
    if (!prepare || this.#isOver) return
    if (prepare.finishedAt === null) {
      this.#follows ??= this.#read(prepare, true, this.#stop.signal)
      return
    }
    this.#isOver = true
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(restMs)])
    if (this.#isLate) {
      const { machine, instance } = prepare
      for (const text of await lastLines(this.#client, this.#service, instance, lateLines, limit)) {
        await this.#show(machine, text)
      }
      return
    }
    await this.end()
    await this.#read(prepare, false, limit)
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.#follows
  }

  /** Reads from where the last read stopped. Never rejects: a lost line must not end the command. */
  async #read({ machine, instance }: Prepare, follow: boolean, signal: AbortSignal): Promise<void> {
    const since = this.#newest
    let repeated = since?.count ?? 0
    const from = since ? { since: since.at } : {}
    const query = { service: this.#service, machine, instance, ...from, follow: follow ? 'true' : 'false' } as const
    try {
      for await (const { data } of this.#client.stream('logs', { query }, { signal })) {
        if (data.kind !== 'line') continue
        if (data.at === since?.at && repeated-- > 0) continue
        this.#newest = { at: data.at, count: data.at === this.#newest?.at ? this.#newest.count + 1 : 1 }
        await this.#show(machine, data.text)
      }
    } catch (error) {
      if (!follow && !signal.aborted) {
        const why = error instanceof Error ? error.message : String(error)
        await this.#show(machine, `(cannot read the rest of the output of prepare: ${why})`)
      }
    }
  }
}
