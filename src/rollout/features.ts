import type { Observed } from '../decision/observed.ts'
import type { Refusal } from '../decision/refuse.ts'
import type { Pins } from '../events/rolloutEvents.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import { config } from './config/feature.ts'
import type { Rejected } from './featureState.ts'
import { files } from './files/feature.ts'
import { requirements } from './requirements.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Answered, AskedRollout, Begun, MachineGeneration, Readiness, RolloutFeature } from './rolloutFeature.ts'
import { secrets } from './secrets/feature.ts'
import type { Service, State } from './state.ts'
import { users } from './uses/users.ts'
import { uses } from './uses/uses.ts'

/** Here a feature hangs its part into rollouts. The first that objects is named. */
const features: readonly RolloutFeature[] = [uses, secrets, config, files, requirements, users]

/** The slices of a machine's desired state that features want. */
export type FeatureSlice = 'secrets' | 'config' | 'render'
export type FeatureSlices = Pick<MachineDesire, FeatureSlice>

export function refuseForFeatures(state: State, asked: AskedRollout): Refusal | null {
  for (const { refuse } of features) {
    const refusal = refuse?.(state, asked) ?? null
    if (refusal) return refusal
  }
  return null
}

/** The things that the instances of a rollout get besides the release; left out: none. */
export function featurePins(state: State, definition: Definition, former: Pins): { pins?: Pins } {
  const all = features.map(({ pins }) => pins?.(state, definition, former))
  const sum = Object.assign({}, ...all) as Pins // of what each feature pins
  return Object.keys(sum).length === 0 ? {} : { pins: sum }
}

export const featureRejections = (state: State, service: Service, pins: { before: Pins; tried: Pins }): Rejected =>
  Object.assign({}, ...features.map(({ rejections }) => rejections?.(state, service, pins))) as Rejected // their sum

/** By generation, the pins in the desired state that a machine obeyed. */
export function featureHeldPins(held: FeatureSlices): Record<string, Pins> {
  const all: Record<string, Pins> = {}
  for (const { heldPins } of features)
    for (const [generation, pins] of Object.entries(heldPins?.(held) ?? {}))
      all[generation] = { ...all[generation], ...pins }
  return all
}

export const featureDesires = (state: State, machine: string): FeatureSlices =>
  Object.assign({}, ...features.map(({ desire }) => desire?.(state, machine))) as FeatureSlices // their sum

/** The first thing that a machine still needs before an instance of a generation starts there. */
export function featureReadiness(state: State, observed: Observed, of: MachineGeneration): Readiness {
  for (const { readiness } of features) {
    const is = readiness?.(state, observed, of) ?? 'ready'
    if (is !== 'ready') return is
  }
  return 'ready'
}

export const featureWarnings = (state: State, begun: Begun, answered: Answered): string[] =>
  features.flatMap(({ warnings }) => warnings?.(state, begun, answered) ?? [])
