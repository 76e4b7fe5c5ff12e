import type { PastStatus } from '../../api/past.ts'
import type { Status } from '../../api/views.ts'
import type { Config } from '../../decision/base.ts'
import { statusView } from '../statusView.ts'
import type { PastState } from './past.ts'

/** The status after an earlier event. */
export function pastStatusView(config: Config, { position, at, fold, version }: PastState): PastStatus {
  const { state, history } = fold
  const known = { state, history, config, version: version ?? '', observed: {} }
  const recorded = recordedIn(statusView(known))
  return { ...recorded, asOf: { position, at }, controller: { ...recorded.controller, version } }
}

/** The part of a status that the event log holds. */
export function recordedIn(status: Status): Omit<PastStatus, 'asOf'> {
  const { controller, machines, services } = status
  const lost = new Set(machines.flatMap(({ name, state }) => (state === 'lost' ? [name] : [])))
  return {
    ...status,
    controller: { ...controller, problems: null },
    machines: machines.map((machine) => ({
      ...{ ...machine, lastSeen: null, version: null, limits: null, problems: null },
    })),
    services: services.map((service) => ({
      ...service,
      instances: service.instances.map((instance) => ({
        ...{ ...instance, port: null, since: null, pid: null, restarts: null, work: null, asOf: null },
        stale: lost.has(instance.machine),
      })),
    })),
  }
}
