import { refuse, type Decision } from '../decision/refuse.ts'
import { clusterDifference } from '../definitions/clusterDifference.ts'
import { settled } from '../definitions/features.ts'
import type { Event } from '../events/event.ts'
import type { FleetCommand } from './commands.ts'
import { lastServedBy } from './serving.ts'
import type { FleetWorld } from './state.ts'

/**
 * Applies a cluster file. Machines that the file no longer names are removed, also a machine that joined but never
 * reported, because its certificate must be revoked. A machine that has reported is not removed during a rollout, and,
 * unless forced, not while it is the last to serve a service.
 */
export function applyCluster(
  state: FleetWorld,
  { cluster: written, force }: Extract<FleetCommand, { type: 'ApplyCluster' }>,
): Decision {
  const { cluster: own } = state.config
  const cluster = settled(state.cluster, written)
  if (cluster.cluster !== own) {
    const message = `the file describes cluster ${cluster.cluster}, but this controller manages cluster ${own}`
    return refuse('E_OTHER_CLUSTER', message, cluster.cluster, '--context NAME   chooses another cluster')
  }
  const known = Object.keys({ ...state.cluster?.machines, ...state.machines })
  const removed = known.filter((name) => !(name in cluster.machines))
  if (removed.length === 0 && clusterDifference(state.cluster, cluster).length === 0) return { type: 'nothing' }
  const hasReported = removed.some((name) => Object.hasOwn(state.machines, name))
  const rollout = Object.values(state.rollouts).find(({ stage }) => stage !== 'finished')
  if (hasReported && rollout) {
    const message = `rollout ${rollout.id} of ${rollout.service} is in progress: a machine can be removed only after it`
    return refuse('E_ROLLOUT_IN_PROGRESS', message, rollout.id, `tandem rollout show ${rollout.id}`)
  }
  const last = force ? [] : lastServedBy(state, removed)
  if (last.length > 0) {
    const message = `only ${removed.join(' and ')}, which would be removed, still serves ${last.join(', ')}`
    return refuse('E_LAST_INSTANCE', message, removed.join(', '), 'deploy it elsewhere first, or pass --force')
  }
  const events: Event[] = removed.map((machine) => ({ type: 'MachineRemoved', data: { machine } }))
  return { type: 'accepted', events: [...events, { type: 'ClusterApplied', data: { cluster } }] }
}
