import { refuseInability } from '../../fleet/abilities.ts'
import { filesAbility } from '../../protocol/files.ts'
import type { Observed } from '../../decision/observed.ts'
import type { Refusal } from '../../decision/refuse.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import type { State } from '../state.ts'
import { rendersOn } from './desired.ts'

/** The files that machines fill in for a release. */
export const files: RolloutFeature = {
  refuse: (state, { definition, observed }) =>
    definition?.files === undefined ? null : refuseFiles(state, observed, definition.service),
  desire: (state, machine) => ({ render: rendersOn(state, machine) }),
  readiness: ({ releases }, observed, { machine, generation, release }) => {
    if (releases[release]?.definition.files === undefined) return 'ready'
    const report = observed[machine]?.report
    const failure = report?.renderFailures.find((one) => one.generation === generation)
    if (failure) return { failure: `could not fill in the files: ${failure.message}` }
    return report?.rendered.includes(generation) ? 'ready' : 'waiting'
  },
}

/** Refuses a service with files where a machine cannot fill them in: with an older agent, or one that runs as root. */
export const refuseFiles = (state: State, observed: Observed, service: string): Refusal | null =>
  refuseInability(state, observed, filesAbility, service)
