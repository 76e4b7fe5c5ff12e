import { remembered } from '../lib/remembered.ts'
import { runningRollout } from './serviceView.ts'
import type { State } from './state.ts'

/**
 * Releases that are never collected: running ones, both ends of a rollout in progress, the current and the previous
 * completed release.
 */
export const keptReleases = remembered((state: State): readonly string[] => {
  const kept = new Set(Object.values(state.instances).map((one) => one.release))
  for (const service of Object.values(state.services)) {
    const rollout = runningRollout(state, service.name)
    const { current, completed } = service
    for (const release of [rollout?.release, rollout?.previous, current?.release]) if (release) kept.add(release)
    const previous = completed.findLast((release) => release !== current?.release)
    if (previous) kept.add(previous)
  }
  return [...kept].sort()
})
