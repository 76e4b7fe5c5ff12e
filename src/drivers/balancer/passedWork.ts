import { GoneLately } from './goneLately.ts'
import { noAnswers, type AnswersByClass, type BalancerNumbers, type InFlight } from './balancer.ts'
import type { Upstream } from './upstream.ts'

interface Instance {
  service: string
  answers: AnswersByClass
  connections: number
  errors: number
}

interface Service {
  own: AnswersByClass
  retries: number
}

/** The state of the balancer when its numbers are read. */
interface Now {
  /** Work in flight of an instance; `null`: the balancer knows none of that name. */
  inFlight: (instance: string) => InFlight | null
  held: ReadonlyMap<string, number>
  at: number
}

/** Counts of the embedded balancer since its start: by instance, and of its own answers by service. */
export class PassedWork {
  readonly #counting: string
  readonly #instances = new Map<string, Instance>()
  readonly #services = new Map<string, Service>()
  readonly #gone = new GoneLately()

  constructor(counting: string) {
    this.#counting = counting
  }

  /** An upstream has begun an answer, or has sent an interim one. */
  answered(upstream: Upstream, service: string, status: number): void {
    const instance = this.#instance(upstream, service)
    if (instance) count(instance.answers, status)
  }

  /** A TCP connection has reached an upstream. */
  connected(upstream: Upstream, service: string): void {
    const instance = this.#instance(upstream, service)
    if (instance) instance.connections += 1
  }

  /** An upstream refused a connection, or ended it before its answer began. */
  failed(upstream: Upstream, service: string): void {
    const instance = this.#instance(upstream, service)
    if (instance) instance.errors += 1
  }

  /** The balancer itself answers. */
  own(service: string, status: number): void {
    count(this.#service(service).own, status)
  }

  retried(service: string): void {
    this.#service(service).retries += 1
  }

  numbers({ inFlight, held, at }: Now): BalancerNumbers {
    for (const name of this.#gone.over(this.#instances.keys(), (one) => inFlight(one) !== null, at)) {
      this.#instances.delete(name)
    }
    for (const service of held.keys()) this.#service(service)
    return {
      counting: this.#counting,
      instances: [...this.#instances].map(([instance, { answers, ...counts }]) => ({
        ...{ instance, ...counts, answers: [...answers] },
        work: inFlight(instance)?.work ?? 0,
      })),
      services: [...this.#services].map(([service, { own, retries }]) => ({
        ...{ service, own: [...own], retries, held: held.get(service) ?? 0 },
      })),
    }
  }

  #instance({ kind, name }: Upstream, service: string): Instance | null {
    if (kind !== 'instance') return null
    let found = this.#instances.get(name)
    if (!found) this.#instances.set(name, (found = { service, answers: [...noAnswers], connections: 0, errors: 0 }))
    return found
  }

  #service(name: string): Service {
    let found = this.#services.get(name)
    if (!found) this.#services.set(name, (found = { own: [...noAnswers], retries: 0 }))
    return found
  }
}

function count(answers: AnswersByClass, status: number): void {
  const group = Math.floor(status / 100) - 1
  if (group in answers) answers[group as 0] += 1 // one of the five
}
