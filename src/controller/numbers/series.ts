import type { NumbersSeries } from '../../api/numbers.ts'
import { Ring } from './ring.ts'
import type { OwnPassed, Passed, Sample } from './sample.ts'

/** Numbers are kept for this long, in memory. */
export const keptMs = 900_000
/** At an interval of 2 s, with room for uneven ones. */
const mostPoints = 480
/** Most instances of which points are kept; beyond, those that are silent longest are dropped. */
const mostSeries = 2_000
/** The time for requests a second and for the share of errors. */
export const recentMs = 60_000

const limits = { keptMs, mostPoints }

/** In each point of an instance: its interval in seconds, answers, connections, errors, work in flight. */
const instanceWidth = 9
/** In each point of a balancer: interval in seconds, own answers, retries, held. */
const balancerWidth = 8
/** In each point of a machine: shares of processors, memory and disk, where -1 is unknown. */
const machineWidth = 3

interface Series {
  machine: string
  /** An instance, or a service of whose balancer these are. */
  name: string
  service: string
  ring: Ring
}

/** Requests and errors over some time; `seconds` is 0 where nothing is known. */
export interface Recent {
  seconds: number
  requests: number
  /** Requests that were answered 5xx. */
  failed: number
  /** Connections to the instance that failed: the request may have been answered by another one. */
  unconnected: number
}

/** The points of the last 15 minutes. */
export class NumbersHistory {
  readonly #instances = new Map<string, Series>()
  readonly #balancers = new Map<string, Series>()
  readonly #machines = new Map<string, Ring>()

  /** About 20 kB an instance when there is a point every 2 s, and 5 kB at 10 s. */
  get bytes(): number {
    const rings = [...this.#all()].map(({ ring }) => ring).concat([...this.#machines.values()])
    return rings.reduce((sum, ring) => sum + ring.bytes, 0)
  }

  add(sample: Sample): void {
    const { machine, at, elapsedMs, numbers, cpu } = sample
    const { memory, disk } = numbers.load
    const used = (all: { totalBytes: number } | null, free: number): number =>
      all === null || all.totalBytes === 0 ? -1 : 1 - free / all.totalBytes
    const shares = [cpu ?? -1, used(memory, memory?.availableBytes ?? 0), used(disk, disk?.freeBytes ?? 0)]
    ringOf(this.#machines, machine).push(at, shares)
    if (elapsedMs === null || elapsedMs <= 0) return
    const seconds = elapsedMs / 1_000
    for (const { id, service, work } of numbers.instances) {
      const { answers, connections, errors } = sample.instances.get(id) ?? none
      const { ring } = seriesOf(this.#instances, { machine, name: id, service, width: instanceWidth })
      ring.push(at, [seconds, ...answers, connections, errors, work])
    }
    for (const { service, held } of numbers.services) {
      const { own, retries } = sample.services.get(service) ?? noOwn
      const { ring } = seriesOf(this.#balancers, { machine, name: service, service, width: balancerWidth })
      ring.push(at, [seconds, ...own, retries, held])
    }
    this.#forget(at)
  }

  recent(machine: string, instance: string, at: number): Recent {
    const sums = this.#instances.get(keyOf(machine, instance))?.ring.sumAfter(at - recentMs) ?? []
    return { seconds: sums[0] ?? 0, requests: requestsIn(sums), failed: sums[5] ?? 0, unconnected: sums[7] ?? 0 }
  }

  /** Answers of the balancer itself. */
  recentOwn(machine: string, service: string, at: number): Recent {
    const sums = this.#balancers.get(keyOf(machine, service))?.ring.sumAfter(at - recentMs) ?? []
    return { seconds: sums[0] ?? 0, requests: ownIn(sums), failed: sums[5] ?? 0, unconnected: 0 }
  }

  /** The points after that time, in ms. */
  series(service: string | null, after: number): NumbersSeries {
    const of = (all: Map<string, Series>): Series[] =>
      sorted([...all].filter(([, one]) => one.service === service)).map(([, one]) => one)
    return {
      service,
      machines: sorted([...this.#machines]).map(([machine, ring]) => machineColumns(machine, ring, after)),
      instances: of(this.#instances).map((one) => instanceColumns(one, after)),
      balancers: of(this.#balancers).map((one) => balancerColumns(one, after)),
    }
  }

  forgetMachine(machine: string): void {
    this.#machines.delete(machine)
  }

  *#all(): Iterable<Series> {
    yield* this.#instances.values()
    yield* this.#balancers.values()
  }

  #forget(at: number): void {
    for (const all of [this.#instances, this.#balancers]) {
      for (const [key, { ring }] of all) if ((ring.newest ?? 0) < at - keptMs) all.delete(key)
      // Each `push` moves its series to the end, so the first ones are silent longest.
      for (const key of all.keys()) {
        if (all.size <= mostSeries) break
        all.delete(key)
      }
    }
  }
}

const none: Passed = { answers: [0, 0, 0, 0, 0], connections: 0, errors: 0 }
const noOwn: OwnPassed = { own: [0, 0, 0, 0, 0], retries: 0 }

const sorted = <T>(all: [key: string, T][]): [key: string, T][] => all.toSorted(([a], [b]) => (a < b ? -1 : 1))

const keyOf = (machine: string, name: string): string => `${machine}/${name}`

function ringOf(all: Map<string, Ring>, machine: string): Ring {
  let ring = all.get(machine)
  if (!ring) all.set(machine, (ring = new Ring({ width: machineWidth, ...limits })))
  return ring
}

/** Finds or makes a series, and puts it last. */
function seriesOf(all: Map<string, Series>, about: Omit<Series, 'ring'> & { width: number }): Series {
  const { machine, name, service, width } = about
  const key = keyOf(machine, name)
  const found = all.get(key) ?? { machine, name, service, ring: new Ring({ width, ...limits }) }
  all.delete(key)
  all.set(key, found)
  return found
}

/** Of one point, or of the sums of many. */
type Values = ArrayLike<number>

function sum(values: Values, from: number, to: number): number {
  let total = 0
  for (let index = from; index < to; index += 1) total += values[index] ?? 0
  return total
}

/** Answers from 2xx on, and TCP connections: interim answers are no requests. */
const requestsIn = (values: Values): number => sum(values, 2, 7)
const errorsIn = (values: Values): number => (values[5] ?? 0) + (values[7] ?? 0)
const ownIn = (values: Values): number => sum(values, 2, 6)

function machineColumns(machine: string, ring: Ring, after: number): NumbersSeries['machines'][number] {
  const columns: NumbersSeries['machines'][number] = { machine, at: [], cpu: [], memory: [], disk: [] }
  const known = (value = -1): number | null => (value < 0 ? null : value)
  for (const { at, values } of ring.after(after)) {
    columns.at.push(at)
    columns.cpu.push(known(values[0]))
    columns.memory.push(known(values[1]))
    columns.disk.push(known(values[2]))
  }
  return columns
}

function instanceColumns({ machine, name, ring }: Series, after: number): NumbersSeries['instances'][number] {
  const columns: NumbersSeries['instances'][number] = {
    ...{ instance: name, machine, at: [], inFlight: [], perSecond: [], errorsPerSecond: [] },
  }
  for (const { at, values } of ring.after(after)) {
    const seconds = values[0] ?? 1
    columns.at.push(at)
    columns.inFlight.push(values[8] ?? 0)
    columns.perSecond.push(requestsIn(values) / seconds)
    columns.errorsPerSecond.push(errorsIn(values) / seconds)
  }
  return columns
}

function balancerColumns({ machine, ring }: Series, after: number): NumbersSeries['balancers'][number] {
  const columns: NumbersSeries['balancers'][number] = {
    ...{ machine, at: [], held: [], retriesPerSecond: [], ownPerSecond: [], ownErrorsPerSecond: [] },
  }
  for (const { at, values } of ring.after(after)) {
    const seconds = values[0] ?? 1
    columns.at.push(at)
    columns.held.push(values[7] ?? 0)
    columns.retriesPerSecond.push((values[6] ?? 0) / seconds)
    columns.ownPerSecond.push(ownIn(values) / seconds)
    columns.ownErrorsPerSecond.push((values[5] ?? 0) / seconds)
  }
  return columns
}
