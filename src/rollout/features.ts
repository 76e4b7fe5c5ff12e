import type { Refusal } from '../decision/refuse.ts'
import { requirements } from './requirements.ts'
import type { Answered, AskedRollout, Begun, RolloutFeature } from './rolloutFeature.ts'
import { secrets } from './secrets/feature.ts'
import type { State } from './state.ts'
import { users } from './uses/users.ts'
import { uses } from './uses/uses.ts'

/** Here a feature hangs its part into rollouts. The first that objects is named. */
const features: readonly RolloutFeature[] = [uses, secrets, requirements, users]

export function refuseForFeatures(state: State, asked: AskedRollout): Refusal | null {
  for (const { refuse } of features) {
    const refusal = refuse?.(state, asked) ?? null
    if (refusal) return refusal
  }
  return null
}

export const featureWarnings = (state: State, begun: Begun, answered: Answered): string[] =>
  features.flatMap(({ warnings }) => warnings?.(state, begun, answered) ?? [])
