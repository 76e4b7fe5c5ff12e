import type { SecretsHost } from '../../drivers/secrets/secretsHost.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import { secretOrderSchema, type SecretGeneration } from '../../protocol/secrets.ts'
import type { ControllerConnection } from '../controllerConnection.ts'
import { Generations } from '../generations.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import type { Program, StartExtra } from '../releaseLauncher.ts'

interface Parts {
  connection: Pick<ControllerConnection, 'post'>
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
  state: 'running' | 'done'
  /** Why the last try failed. */
  failure: unknown
}

/**
 * Brings the secrets of services to this machine, before their instances start. The agent carries orders from the
 * controller to the host, and cannot read them. It asks only the controller whose desired state it obeys.
 */
export class Secrets implements MachineFeature<object> {
  readonly #host: SecretsHost
  readonly #parts: Parts
  #wanted: readonly SecretGeneration[] = []
  readonly #generations = new Generations()
  readonly #deliveries = new Map<string, Delivery>()
  /** `null`: the controller has not said yet which secrets it wants here. */
  #isSwept: boolean | null = null
  #isStopped = false

  constructor(host: SecretsHost, parts: Parts) {
    this.#host = host
    this.#parts = parts
    parts.launcher.extend({ secrets: (program, signal) => this.#secretsOf(program, signal) })
  }

  want(desired: DesiredState, isRestored: boolean): void {
    this.#wanted = desired.secrets
    this.#generations.want(desired)
    if (isRestored) return
    const services = Map.groupBy(desired.secrets, ({ service }) => service)
    for (const [service, generations] of services) this.#deliver(service, generations)
    for (const service of this.#deliveries.keys()) if (!services.has(service)) this.#deliver(service, [])
    this.#isSwept ??= false
    this.retry()
  }

  retry(): void {
    if (this.#isSwept === false) void this.#sweep()
  }

  report(): object {
    return {}
  }

  stop(): void {
    this.#isStopped = true
    for (const { over } of this.#deliveries.values()) over.abort()
  }

  /** Secrets that were kept when this agent started, of services that do not run here any more, go. */
  async #sweep(): Promise<void> {
    this.#isSwept = true
    try {
      for (const service of await this.#host.services()) if (!this.#deliveries.has(service)) this.#deliver(service, [])
      this.#parts.problems.solved('secrets')
    } catch (error) {
      this.#isSwept = false
      this.#parts.problems.add('secrets', error)
    }
  }

  #deliver(service: string, generations: readonly SecretGeneration[]): Delivery | null {
    const of = generations.map(({ generation }) => generation).join(' ')
    const before = this.#deliveries.get(service)
    if (before?.of === of) return before
    before?.over.abort()
    return this.#begin(service, of)
  }

  #begin(service: string, of: string): Delivery | null {
    if (this.#isStopped) return null
    const delivery: Delivery = {
      ...{ of, over: new AbortController(), done: Promise.resolve(), state: 'running', failure: null },
    }
    delivery.done = this.#bring(service, delivery)
    this.#deliveries.set(service, delivery)
    return delivery
  }

  /** Never rejects: a failure is a problem, and is tried again. */
  async #bring(service: string, delivery: Delivery): Promise<void> {
    const { connection, problems, clock, random } = this.#parts
    const { signal } = delivery.over
    const backoff = new Backoff(retry, random)
    while (!signal.aborted) {
      try {
        const [held, recipient] = await Promise.all([this.#host.held(service), this.#host.recipient()])
        const answer = await connection.post(`/agent/secrets/${service}`, { held, recipient }, signal)
        if (signal.aborted) return
        await this.#host.take(service, secretOrderSchema.parse(answer))
        problems.solved(`secrets ${service}`)
        Object.assign(delivery, { state: 'done', failure: null })
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
  async #secretsOf(program: Program, signal: AbortSignal): Promise<InstanceSpec['secrets'] | null> {
    const own = this.#generations.of(program)
    const wanted = this.#wanted.find((one) => one.generation === own)
    if (wanted === undefined) return null
    const { service, generation } = wanted
    if (!(await this.#host.has(service, generation))) await this.#delivered(service, generation, signal)
    const values = this.#host.values?.(service, generation)
    return { generation, ...(values ? { values } : {}) }
  }

  async #delivered(service: string, generation: string, signal: AbortSignal): Promise<void> {
    const last = this.#deliveries.get(service)
    // The order that came last did not have this generation, or the host has lost it.
    const delivery = last?.state === 'done' ? this.#begin(service, last.of) : last
    const over = new AbortController()
    await Promise.race([delivery?.done, sleep(this.#parts.clock, startWaitMs, AbortSignal.any([over.signal, signal]))])
    over.abort()
    if (await this.#host.has(service, generation)) return
    throw undelivered(service, delivery ?? null)
  }
}

function undelivered(service: string, delivery: Delivery | null): OperatorError {
  const cause = delivery?.failure
  const isOld = delivery?.state === 'done'
  const why = isOld
    ? 'the controller does not have all of these versions any more'
    : cause instanceof Error
      ? cause.message
      : 'no controller has sent them yet'
  const next = isOld
    ? `tandem restart ${service}   takes the newest versions`
    : ((cause instanceof OperatorError ? cause.next : null) ?? 'tandem secrets status')
  return new OperatorError('E_SECRETS_MISSING', `its secrets are not on this machine: ${why}`, {
    subject: service,
    next,
    cause,
  })
}
