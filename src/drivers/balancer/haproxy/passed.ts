import { noAnswers, type AnswersByClass, type BalancerNumbers, type InstanceNumbers } from '../balancer.ts'
import type { StatLine } from './statistics.ts'
import { isInstance, serviceOf } from './workCounts.ts'

type Instance = Omit<InstanceNumbers, 'work'>

/** The counts of each instance, from the sums of all lines. */
function instancesIn(sums: StatLine[]): Map<string, Instance> {
  const found = new Map<string, Instance>()
  for (const line of sums) {
    const { proxy, server, mode } = line
    if (!isInstance(line)) continue
    const instance = found.get(server) ?? {
      ...{ instance: server, service: serviceOf(proxy) ?? '', answers: [...noAnswers], connections: 0, errors: 0 },
    }
    line.answers.forEach((count, group) => (instance.answers[group as 0] += count)) // one of the five
    // A retry follows an attempt without a connection; the last such attempt counts as a connection error.
    const unconnected = line.retries + line.redispatches + line.connectionErrors
    if (mode === 'tcp') instance.connections += line.total - unconnected
    instance.errors += unconnected + line.answerErrors
    found.set(server, instance)
  }
  return found
}

/** By service: answers of its backends that no server gave, as far as the transactions have ended; and retries. */
function servicesIn(sums: StatLine[]): Map<string, { own: AnswersByClass; retries: number }> {
  const found = new Map<string, { own: AnswersByClass; retries: number }>()
  for (const line of sums) {
    const { proxy, server } = line
    const service = serviceOf(proxy)
    if (service === null || line.mode === 'tcp') continue
    const counts = found.get(service) ?? { own: [...noAnswers], retries: 0 }
    const sign = server === 'BACKEND' ? 1 : -1
    // A 425 of a backend for forwarded requests makes the other machine try elsewhere.
    const [first, last] = proxy.startsWith('fwd_') ? [4, 4] : [3, 4]
    for (let group = first; group <= last; group += 1) counts.own[group as 3] += sign * (line.answers[group] ?? 0)
    found.set(service, counts)
  }
  for (const { proxy, server, retries, redispatches } of sums) {
    const counts = found.get(serviceOf(proxy) ?? '')
    if (server === 'BACKEND' && counts) counts.retries += retries + redispatches
  }
  return found
}

/**
 * Counts of HAProxy by instance and by service. HAProxy does not count its own answers apart: they are the
 * answers of a backend less those of its servers. A server's answer counts when it begins, a backend's when it ends, and
 * backends are read first; so the difference can be too small for a moment, never too large, and its highest value is
 * the count.
 */
export class Passed {
  readonly #counting: string
  readonly #own = new Map<string, AnswersByClass>()

  constructor(counting: string) {
    this.#counting = counting
  }

  numbers(sums: StatLine[], work: (instance: string) => number, held: ReadonlyMap<string, number>): BalancerNumbers {
    const services = servicesIn(sums)
    for (const service of held.keys())
      if (!services.has(service)) services.set(service, { own: [...noAnswers], retries: 0 })
    return {
      counting: this.#counting,
      instances: [...instancesIn(sums).values()].map((one) => ({ ...one, work: work(one.instance) })),
      services: [...services].flatMap(([service, { own, retries }]) => {
        const numbers = { service, own: this.#highest(service, own), retries, held: held.get(service) ?? 0 }
        return numbers.own.some((count) => count > 0) || retries > 0 || numbers.held > 0 ? [numbers] : []
      }),
    }
  }

  #highest(service: string, own: AnswersByClass): AnswersByClass {
    const before = this.#own.get(service) ?? noAnswers
    const highest = own.map((count, group) => Math.max(count, before[group] ?? 0)) as AnswersByClass // as long as `own`
    this.#own.set(service, highest)
    return [...highest]
  }
}
