import { Backoff } from '../../lib/backoff.ts'
import { sleep, systemClock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** How long a controller may be unreachable after it has answered (it may restart) before the command fails. */
export const contactLimitMs = 30_000

export const contactLostNote = `lost contact with the controller; retrying for ${contactLimitMs / 1000} s`

const backoffLimits = { firstMs: 100, mostMs: 2_000 }

export interface ContactOptions {
  signal: AbortSignal
  /** Called once when contact is lost, and once when it is restored. */
  onLost?: () => void
  onBack?: () => void
  limitMs?: number
}

/**
 * Repeats `work` until it succeeds, as long as the controller is unreachable for no longer than the limit. `work` must
 * be safe to repeat. Throws every other failure at once, and the last failure after the limit.
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

/** A period without contact: its duration, and the delays between retries. */
export class Outage {
  readonly #options: ContactOptions
  #since: number | null = null
  readonly #backoff = new Backoff(backoffLimits, Math.random)

  constructor(options: ContactOptions) {
    this.#options = options
  }

  /** Waits before the next retry. Throws `error` if it is no outage, or if the outage has lasted too long. */
  async wait(error: unknown): Promise<void> {
    const { signal, onLost, limitMs = contactLimitMs } = this.#options
    if (!isOutage(error) || signal.aborted) throw error
    if (this.#since === null) onLost?.()
    this.#since ??= performance.now()
    if (performance.now() - this.#since > limitMs) throw error
    await sleep(systemClock, this.#backoff.next(), signal)
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
