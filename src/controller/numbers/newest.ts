import type { Numbers } from '../../api/numbers.ts'
import type { Sample } from './sample.ts'
import type { NumbersHistory, Recent } from './series.ts'

/** One machine, its newest reading if there is any with the figures of its services, and why there is none now. */
export interface Known {
  machine: string
  sample: Sample | null
  services: Numbers['services']
  /** In words. */
  missing: string | null
}

type ServiceFigures = Numbers['services'][number]
type InstanceFigures = ServiceFigures['instances'][number]

/** The newest figures, as of that moment in ms. */
export function newestNumbers(known: readonly Known[], now: number): Numbers {
  return {
    at: new Date(now).toISOString(),
    machines: known.map(machineFigures),
    services: known.flatMap(({ services }) => services),
  }
}

function machineFigures({ machine, sample, missing }: Known): Numbers['machines'][number] {
  const { memory, disk } = sample?.numbers.load ?? { memory: null, disk: null }
  const used = (all: { totalBytes: number } | null, free: number): { usedBytes: number; totalBytes: number } | null =>
    all && { usedBytes: Math.max(0, all.totalBytes - free), totalBytes: all.totalBytes }
  return {
    ...{ machine, missing, cpu: sample?.cpu ?? null },
    asOf: sample ? new Date(sample.at).toISOString() : null,
    memory: used(memory, memory?.availableBytes ?? 0),
    disk: used(disk, disk?.freeBytes ?? 0),
  }
}

/** The figures of each service on one machine; `history` includes the sample. */
export function serviceFigures({ machine, at, numbers }: Sample, history: NumbersHistory): ServiceFigures[] {
  const found = new Map<string, { figures: ServiceFigures; recent: Recent[] }>()
  const of = (service: string): { figures: ServiceFigures; recent: Recent[] } => {
    const known = found.get(service)
    if (known) return known
    const figures = { service, machine, perSecond: null, errors: null, own: none(), retries: 0, held: 0, instances: [] }
    const made = { figures, recent: [] }
    found.set(service, made)
    return made
  }
  for (const { id: instance, service, answers, connections, errors: failed, work: inFlight } of numbers.instances) {
    const { figures, recent } = of(service)
    const one = history.recent(machine, instance, at)
    recent.push(one)
    figures.instances.push({ ...{ instance, inFlight, answers, connections, failed }, ...ofInstance(one) })
  }
  for (const { service, own, retries, held } of numbers.services) {
    const { figures, recent } = of(service)
    Object.assign(figures, { own, retries, held })
    recent.push(history.recentOwn(machine, service, at))
  }
  return [...found.values()].map(({ figures, recent }) => ({ ...figures, ...ofService(recent) }))
}

const none = (): ServiceFigures['own'] => [0, 0, 0, 0, 0]

function ofInstance({ seconds, requests, failed, unconnected }: Recent): Pick<InstanceFigures, 'perSecond' | 'errors'> {
  const attempts = requests + unconnected
  return {
    perSecond: seconds === 0 ? null : requests / seconds,
    errors: attempts === 0 ? null : (failed + unconnected) / attempts,
  }
}

/** A connection that failed is no error of the service: the request was answered elsewhere, or by the balancer. */
function ofService(all: readonly Recent[]): Pick<ServiceFigures, 'perSecond' | 'errors'> {
  const known = all.filter(({ seconds }) => seconds > 0)
  const requests = known.reduce((sum, one) => sum + one.requests, 0)
  const failed = known.reduce((sum, one) => sum + one.failed, 0)
  return {
    perSecond: known.length === 0 ? null : known.reduce((sum, one) => sum + one.requests / one.seconds, 0),
    errors: requests === 0 ? null : failed / requests,
  }
}
