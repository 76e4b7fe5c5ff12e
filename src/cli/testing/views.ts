import { z } from 'zod'
import { featureStatus } from '../../api/features.ts'
import type { RolloutView, Status } from '../../api/views.ts'

/** Timestamp of a test: seconds after a fixed start. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 21, 2, 0, 0) + seconds * 1000).toISOString()

export const releaseA = 'a'.repeat(64)
export const releaseB = 'b'.repeat(64)

export function rolloutView(given: Partial<RolloutView> = {}): RolloutView {
  return {
    ...{ id: '4kf2m8xd', service: 'shop', kind: 'deploy', release: releaseB, previous: releaseA },
    ...{ state: 'running', reason: null, failedInstance: null, startedAt: at(0), finishedAt: null, prepare: null },
    machines: [
      { machine: 'a', state: 'waiting', phases: [{ phase: 'fetch', startedAt: at(0), finishedAt: null }] },
      { machine: 'b', state: 'waiting', phases: [{ phase: 'fetch', startedAt: at(0), finishedAt: null }] },
    ],
    ...given,
  }
}

export function machineStatus(given: Partial<Status['machines'][number]> = {}): Status['machines'][number] {
  return {
    ...{ name: 'a', state: 'ready', lastSeen: at(0), host: '127.0.0.1', httpPort: 8001, metricsPort: 9001 },
    ...{ version: '0.1.0', limits: null, problems: [], ...given },
  }
}

type ServiceStatus = Status['services'][number]

export function instanceStatus(
  given: Partial<ServiceStatus['instances'][number]> = {},
): ServiceStatus['instances'][number] {
  return {
    ...{ id: 'shop-4kf2m8xd-a-1', machine: 'a', release: releaseA, state: 'ready', port: 20_001, since: at(0) },
    ...{ pid: 42, restarts: 0, reason: null, work: 0, stale: false, asOf: null, ...given },
  }
}

/** Every feature's part of a status in which there is nothing of it. */
export const nothingOfFeatures = z.object(featureStatus).parse({})

export function statusView(given: Partial<Status> = {}): Status {
  return {
    cluster: 'local',
    controller: { version: '0.1.0', term: 1, position: 40, problems: [] },
    absent: [],
    ...nothingOfFeatures,
    machines: [machineStatus(), machineStatus({ name: 'b', httpPort: 8002, metricsPort: 9002 })],
    services: [serviceStatus()],
    ...given,
  }
}

export function serviceStatus(given: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    ...{ service: 'shop', release: releaseA, state: 'running', routes: ['*/'], behind: [], rollout: null },
    instances: [instanceStatus(), instanceStatus({ id: 'shop-4kf2m8xd-b-1', machine: 'b' })],
    ...given,
  }
}
