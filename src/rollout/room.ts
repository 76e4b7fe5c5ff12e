import { unlessBehind } from '../decision/behind.ts'
import type { Moment } from '../decision/moment.ts'
import { roomOf } from '../decision/room.ts'
import type { Event } from '../events/event.ts'
import type { Report } from '../protocol/report.ts'
import type { RolloutEvents } from '../events/rolloutEvents.ts'
import { advanceCatchUp } from './advanceCatchUp.ts'
import { advanceRollout } from './advanceRollout.ts'
import { advanceTurn } from './advanceTurn.ts'
import type { RolloutCommand } from './commands.ts'
import { rolloutDeadlines } from './deadlines.ts'
import { abortRollout, collectReleases, publishRelease } from './decideRollout.ts'
import { desiredServices, type ServiceSlice } from './desiredServices.ts'
import { rolloutFolds } from './folds.ts'
import { keptReleases } from './keptReleases.ts'
import { startRollout } from './startRollout.ts'
import type { RolloutState, State } from './state.ts'
import { rolloutLinks } from './links.ts'
import { rolloutWords } from './words.ts'

/** Services are moved to a release, one machine after the other. */
export const rollout = roomOf<State, RolloutState, RolloutEvents, RolloutCommand, ServiceSlice>()({
  name: 'rollout',
  words: rolloutWords,
  links: rolloutLinks,
  initial: { services: {}, turns: {}, rollouts: {}, generations: {}, loopbacks: {}, laptopPorts: {}, removedData: {} },
  folds: rolloutFolds,
  facts: dataRemoved,
  advance: advanceServices,
  deadline: rolloutDeadlines,
  keeps: keptReleases,
  desire: desiredServices,
  commands: {
    PublishRelease: publishRelease,
    CollectReleases: collectReleases,
    StartRollout: unlessBehind(startRollout),
    AbortRollout: abortRollout,
  },
})

function advanceServices(state: State, moment: Moment): Event[] {
  for (const turn of Object.values(state.turns)) {
    const events = advanceTurn(state, turn, moment)
    if (events.length > 0) return events
  }
  for (const service of Object.values(state.services)) {
    const current = service.rollout ? state.rollouts[service.rollout] : undefined
    const events = current ? advanceRollout(state, current, moment) : advanceCatchUp(state, service, moment)
    if (events.length > 0) return events
  }
  return []
}

function dataRemoved(state: State, { machine, boot, seq, removedData }: Report): Event[] {
  const due = removedData.filter((service) => state.removedData[service]?.includes(machine))
  return due.map((service) => ({ type: 'DataRemoved', data: { service, machine, mark: { boot, seq } } }))
}
