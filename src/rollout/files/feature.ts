import { notFilledIn } from '../../definitions/files/paths.ts'
import { refuseInability } from '../../fleet/abilities.ts'
import { filesAbility } from '../../protocol/files.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import { rendersOn } from './desired.ts'

/** The files that machines fill in for a release. */
export const files: RolloutFeature = {
  refuse: (state, { definition, observed }) =>
    definition?.files === undefined ? null : refuseInability(state, observed, filesAbility, definition.service),
  desire: (state, machine) => ({ render: rendersOn(state, machine) }),
  heldKeys: ({ render }) => Object.fromEntries(render.map(({ release, files: own }) => [release, { files: own }])),
  readiness: ({ releases }, observed, { machine, generation, release }) => {
    if (releases[release]?.definition.files === undefined) return 'ready'
    const report = observed[machine]?.report
    const failure = report?.renderFailures.find((one) => one.generation === generation)
    if (failure) return { failure: `${notFilledIn}: ${failure.message}` }
    return report?.rendered.includes(generation) ? 'ready' : 'waiting'
  },
}
