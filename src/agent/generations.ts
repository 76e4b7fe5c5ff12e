import { prepareInstance } from '../definitions/names.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Program } from './releaseLauncher.ts'

/** To which generation each program on this machine belongs. */
export class Generations {
  #byProgram = new Map<string, string>()
  /** The newest generation of a release here. */
  #byRelease = new Map<string, string>()

  want({ instances, prepare }: DesiredState): void {
    this.#byProgram = new Map([
      ...instances.map(({ id, generation }) => [id, generation] as const),
      ...prepare.map(({ service, rollout }) => [prepareInstance(service, rollout), rollout] as const),
    ])
    this.#byRelease = new Map([
      ...instances.map(({ release, generation }) => [release, generation] as const),
      ...prepare.map(({ release, rollout }) => [release, rollout] as const),
    ])
  }

  /** A command of a person, which no desired state names, comes with its generation, except from an older controller. */
  of({ id, release, generation }: Program): string | undefined {
    return generation ?? this.#byProgram.get(id) ?? this.#byRelease.get(release)
  }
}
