import type { SecretsHost } from '../../drivers/secrets/secretsHost.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { SecretGeneration } from '../../protocol/secrets.ts'
import type { ControllerConnection } from '../controllerConnection.ts'
import { Generations } from '../generations.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import type { StartExtra } from '../releaseLauncher.ts'

interface Parts {
  connection: Pick<ControllerConnection, 'secrets'>
  launcher: { extend: (extra: StartExtra) => void }
  problems: Pick<Problems, 'add' | 'solved'>
  clock: Clock
  random: () => number
}

/** A start that waits for its secrets gives up after this long; it is tried again like any failed start. */
const startWaitMs = 10_000
const retry = { firstMs: 200, mostMs: 15_000 }

/** The delivery of one service: until the machine has the secrets of these generations, and no others. */
interface Delivery {
  /** The generations, as one text. */
  of: string
  over: AbortController
  done: Promise<void>
  /** Why the last try failed. */
  failure: unknown
}

/**
 * Brings the secrets of services to this machine, before their instances start. The agent carries orders from the
 * controller to the host, and cannot read them.
 */
export class Secrets implements MachineFeature<object> {
  readonly #host: SecretsHost
  readonly #parts: Parts
  #wanted: readonly SecretGeneration[] = []
  readonly #generations = new Generations()
  readonly #deliveries = new Map<string, Delivery>()
  #sweeping: Promise<void> | null = null

  constructor(host: SecretsHost, parts: Parts) {
    this.#host = host
    this.#parts = parts
    parts.launcher.extend({ secrets: (asked, signal) => this.#secretsOf(asked, signal) })
  }

  want(desired: DesiredState): void {
    const { secrets } = desired
    this.#wanted = secrets
    this.#generations.want(desired)
    const services = Map.groupBy(secrets, ({ service }) => service)
    for (const [service, generations] of services) this.#deliver(service, generations)
    for (const service of this.#deliveries.keys()) if (!services.has(service)) this.#deliver(service, [])
    this.#sweeping ??= this.#sweep()
  }

  /** Secrets that were kept when this agent started, of services that do not run here any more, go. */
  async #sweep(): Promise<void> {
    const kept = await this.#host.services().catch(() => [])
    for (const service of kept) if (!this.#deliveries.has(service)) this.#deliver(service, [])
  }

  report(): object {
    return {}
  }

  stop(): void {
    for (const { over } of this.#deliveries.values()) over.abort()
  }

  #deliver(service: string, generations: readonly SecretGeneration[]): void {
    const of = generations.map(({ generation }) => generation).join(' ')
    const before = this.#deliveries.get(service)
    if (before?.of === of) return
    before?.over.abort()
    const delivery: Delivery = { of, over: new AbortController(), done: Promise.resolve(), failure: null }
    delivery.done = this.#bring(service, delivery)
    this.#deliveries.set(service, delivery)
  }

  /** Never rejects: a failure is a problem, and is tried again. */
  async #bring(service: string, delivery: Delivery): Promise<void> {
    const { connection, problems, clock, random } = this.#parts
    const { signal } = delivery.over
    const backoff = new Backoff(retry, random)
    while (!signal.aborted) {
      try {
        const [held, recipient] = await Promise.all([this.#host.held(service), this.#host.recipient()])
        const order = await connection.secrets({ service, held, recipient }, signal)
        if (signal.aborted) return
        await this.#host.take(service, order)
        problems.solved(`secrets ${service}`)
        delivery.failure = null
        return
      } catch (error) {
        if (signal.aborted) return
        delivery.failure = error
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent) problems.add(`secrets ${service}`, error)
        await sleep(clock, backoff.next(), signal)
      }
    }
  }

  /** Resolves once the host has the secrets with which a program starts; `null`: it has none. */
  async #secretsOf(
    { id, release }: { id: string; release: string },
    signal: AbortSignal,
  ): Promise<InstanceSpec['secrets'] | null> {
    const own = this.#generations.of(id, release)
    const wanted = this.#wanted.find((one) => one.generation === own)
    if (wanted === undefined) return null
    const { service, generation } = wanted
    if (!(await this.#host.has(service, generation))) await this.#delivered(service, generation, signal)
    const values = this.#host.values?.(service, generation)
    return { generation, ...(values ? { values } : {}) }
  }

  async #delivered(service: string, generation: string, signal: AbortSignal): Promise<void> {
    const delivery = this.#deliveries.get(service)
    const over = new AbortController()
    await Promise.race([delivery?.done, sleep(this.#parts.clock, startWaitMs, AbortSignal.any([over.signal, signal]))])
    over.abort()
    if (await this.#host.has(service, generation)) return
    throw undelivered(service, delivery?.failure ?? null)
  }
}

function undelivered(service: string, cause: unknown): OperatorError {
  const why = cause instanceof Error ? cause.message : 'the controller has not sent them yet'
  const next = (cause instanceof OperatorError ? cause.next : null) ?? 'tandem secrets status'
  return new OperatorError('E_SECRETS_MISSING', `its secrets are not on this machine: ${why}`, {
    subject: service,
    next,
    cause,
  })
}
