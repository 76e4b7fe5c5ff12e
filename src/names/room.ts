import { roomOf } from '../decision/room.ts'
import { prefixOf } from '../definitions/calls.ts'
import { servicesUsed } from '../definitions/uses/variables.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { Link } from '../protocol/names.ts'
import type { State } from '../rollout/state.ts'
import { answerOf } from '../rollout/localAnswers.ts'

/** Names: where programs on a machine reach the services that they use. It has no state of its own. */
export const names = roomOf<State, object, object, never, 'links' | 'names'>()({
  name: 'names',
  words: {},
  links: {},
  initial: {},
  folds: {},
  commands: {},
  desire: (state, machine) => ({ links: linksOn(state, machine), names: namesIn(state) }),
})

/** For each release of which a program may start here, also a command that somebody runs on any machine. */
function linksOn(state: State, machine: string): MachineDesire['links'] {
  const running = Object.values(state.instances).filter((one) => one.machine === machine && one.state !== 'stopping')
  const rolled = Object.values(state.rollouts).filter(({ stage }) => stage !== 'finished')
  const current = Object.values(state.services).flatMap((service) => service.current ?? [])
  const releases = new Set([...running, ...rolled, ...current].map(({ release }) => release))
  return Object.fromEntries(
    [...releases].flatMap((release) => {
      const links = linksOf(state, release)
      return links.length === 0 ? [] : [[release, links]]
    }),
  )
}

const linksOf = (state: State, release: string): Link[] =>
  servicesUsed(state.releases[release]?.definition.uses).map((use) => ({
    prefix: prefixOf(use),
    service: use.service,
    answer: answerOf(state, use),
  }))

/** On a laptop no service has an address of its own. */
function namesIn({ loopbacks, services, config }: State): MachineDesire['names'] {
  if (config.laptop) return []
  return Object.entries(loopbacks)
    .filter(([service]) => service in services)
    .map(([service, address]) => ({ service, address }))
    .sort((a, b) => (a.service < b.service ? -1 : 1))
}
