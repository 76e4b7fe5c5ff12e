import type { Refusal } from '../decision/refuse.ts'
import { config } from './config/feature.ts'
import { requirements } from './requirements.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Answered, AskedRollout, Begun, RolloutFeature } from './rolloutFeature.ts'
import { secrets } from './secrets/feature.ts'
import type { Pins, State } from './state.ts'
import { users } from './uses/users.ts'
import { uses } from './uses/uses.ts'

/** Here a feature hangs its part into rollouts. The first that objects is named. */
const features: readonly RolloutFeature[] = [uses, secrets, config, requirements, users]

export function refuseForFeatures(state: State, asked: AskedRollout): Refusal | null {
  for (const { refuse } of features) {
    const refusal = refuse?.(state, asked) ?? null
    if (refusal) return refusal
  }
  return null
}

/** The things that the instances of a rollout get besides the release. */
export const featurePins = (state: State, definition: Definition, former: Pins): Pins =>
  Object.assign({}, ...features.map(({ pins }) => pins?.(state, definition, former))) as Pins // each is one

export const featureWarnings = (state: State, begun: Begun, answered: Answered): string[] =>
  features.flatMap(({ warnings }) => warnings?.(state, begun, answered) ?? [])
