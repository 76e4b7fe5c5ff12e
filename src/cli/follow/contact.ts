import { Backoff, pause } from '../../lib/backoff.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** How long a controller that answered before may stay away (it restarts) until contact counts as lost. */
export const contactLimitMs = 30_000

export const contactLostNote = `contact with the controller is lost; trying again for ${contactLimitMs / 1000} s`

const backoffLimits = { firstMs: 100, mostMs: 2_000 }

export interface ContactOptions {
  signal: AbortSignal
  /** Called once when contact is lost, and once when it is back. */
  onLost?: () => void
  onBack?: () => void
  limitMs?: number
}

/**
 * Does `work` until it succeeds, while the controller is away for at most the limit. Only for what may be done twice.
 * Every other failure, and the last one, is thrown.
 */
export async function throughOutages<T>(work: () => Promise<T>, options: ContactOptions): Promise<T> {
  const outage = new Outage(options)
  for (;;) {
    try {
      const result = await work()
      outage.over()
      return result
    } catch (error) {
      await outage.wait(error)
    }
  }
}

/** One stretch without contact: how long it lasts, and the waits between tries. */
export class Outage {
  readonly #options: ContactOptions
  #since: number | null = null
  readonly #backoff = new Backoff(backoffLimits, Math.random)

  constructor(options: ContactOptions) {
    this.#options = options
  }

  /** Waits before the next try; throws `error` when it is no outage, or has lasted too long. */
  async wait(error: unknown): Promise<void> {
    const { signal, onLost, limitMs = contactLimitMs } = this.#options
    if (!isOutage(error) || signal.aborted) throw error
    if (this.#since === null) onLost?.()
    this.#since ??= performance.now()
    if (performance.now() - this.#since > limitMs) throw error
    await pause(this.#backoff.next(), signal)
    signal.throwIfAborted()
  }

  over(): void {
    if (this.#since === null) return
    this.#since = null
    this.#backoff.reset()
    this.#options.onBack?.()
  }
}

export const isOutage = (error: unknown): boolean =>
  error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
