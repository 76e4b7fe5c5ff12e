import { keepIf } from '../lib/records.ts'
import type { RolloutState, State } from './state.ts'

/** Keeps a generation while an instance of it is left, its service runs it, or its rollout is in progress. */
export function usedGenerations(state: State): RolloutState['generations'] {
  const used = new Set(Object.values(state.instances).map((instance) => instance.generation))
  for (const service of Object.values(state.services)) {
    if (service.current) used.add(service.current.generation)
    if (service.rollout) used.add(service.rollout)
  }
  return keepIf(state.generations, (_, id) => used.has(id))
}
