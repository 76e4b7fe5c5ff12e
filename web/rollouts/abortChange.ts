import type { RolloutView } from '../../src/api/views.ts'
import type { Api } from '../lib/api.ts'
import type { ChangeProps } from '../lib/change.tsx'
import { clockTime } from '../lib/time.ts'
import { abortSentence, abortSteps } from './rolloutWords.ts'

/** The abort of a rollout, as every page offers it. */
export function abortChange(api: Api, rollout: RolloutView): ChangeProps {
  const { id, service, state, finishedAt } = rollout
  const given = { params: { id } }
  return {
    ...{ label: 'Abort', title: `Abort rollout ${id} of ${service}`, danger: true, version: `${id} ${state}` },
    ...{ sentence: abortSentence(rollout), steps: abortSteps(rollout), command: `tandem rollout abort ${id}` },
    refusal: finishedAt === null ? null : `Not possible: this rollout is over since ${clockTime(finishedAt)}.`,
    ask: (signal) => api.rehearse('abortRollout', given, signal),
    run: () => api.call('abortRollout', given),
  }
}
