import type { Refusal } from '../decision/refuse.ts'
import type { Observed } from '../decision/observed.ts'
import type { Definition } from '../definitions/definition.ts'
import type { EventData } from '../events/event.ts'
import type { Pins, ResolvedRoute } from '../events/rolloutEvents.ts'
import type { StartRollout } from './commands.ts'
import type { RequirementFacts } from '../protocol/requirements.ts'
import type { FeatureSlices } from './features.ts'
import type { Rejected } from './featureState.ts'
import type { Service, State } from './state.ts'

/** The answers of machines that were asked before; `null`: the machine did not answer. A machine that is missing was not asked. */
export type Answered = Readonly<Record<string, RequirementFacts | null>>

/** A rollout that somebody asks for. */
export interface AskedRollout extends StartRollout {
  /** Of the release that would run; `null`: none, the service stops. */
  definition: Definition | null
  routes: readonly ResolvedRoute[]
  /** Whether the release has served before: a way back leads to everything that it had. */
  hasServed: boolean
  observed: Observed
  /** Those of an earlier time that it is to get again. */
  former: Pins
}

/** A rollout that has just begun. */
export type Begun = Pick<EventData['RolloutStarted'], 'service' | 'kind' | 'release'>

export interface MachineGeneration {
  machine: string
  generation: string
  release: string
}

export type Readiness = 'ready' | 'waiting' | Unready

interface Unready {
  /** Why the machine never will be ready; follows "machine a". */
  failure: string
}

/**
 * A feature's part of rollouts. A restart or a way back is never refused for a change around the service; it may warn
 * of it.
 */
export interface RolloutFeature {
  /** Why the rollout may not start; `null`: the feature does not object. */
  refuse?: (state: State, asked: AskedRollout) => Refusal | null
  /** Everything that its instances get besides the release, as of now; `former`: those that it is to get again. */
  pins?: (state: State, definition: Definition, former: Pins) => Pins
  /** The parts of pins that later rollouts pass over: a rollout that tried them went back to those before. */
  rejections?: (state: State, service: Service, pins: { before: Pins; tried: Pins }) => Rejected
  /** The pins of each generation, by its id, in the desired state that a machine obeyed. */
  heldPins?: (held: FeatureSlices) => Record<string, Pins>
  /** Its slices of the desired state of a machine. */
  desire?: (state: State, machine: string) => Partial<FeatureSlices>
  /** Whether a machine has everything that instances of a generation need there. No machine takes its turn before. */
  readiness?: (state: State, observed: Observed, of: MachineGeneration) => Readiness
  /** Doubtful things about a rollout that has just begun. */
  warnings?: (state: State, begun: Begun, answered: Answered) => string[]
}
