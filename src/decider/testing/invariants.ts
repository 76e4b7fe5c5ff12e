import type { EventData, RecordedEvent } from '../../events/event.ts'
import type { MachineDesire } from '../../protocol/desiredState.ts'
import { definitionOf } from '../../fleet/serving.ts'
import { turnKey, type Instance } from '../../fleet/state.ts'
import { wantedOn } from '../../rollout/serviceView.ts'
import type { Turn } from '../../rollout/state.ts'
import type { World as State } from '../rooms.ts'

/** Invariants of every event of every history. Returns the violations, in words. */
export function wrongWith(before: State, event: RecordedEvent, after: State): string[] {
  return [
    ...movedBack(before, after),
    ...(event.type === 'StepStarted' ? wrongStep(before, event.data, after) : []),
    ...(event.type === 'MachineDrainStarted' && !event.data.force ? lastTaken(before, event.data.machine) : []),
    ...(event.type === 'RolloutStarted' ? secondRollout(before, event.data.service) : []),
  ]
}

/**
 * On a machine that keeps the service, its ready instances do not fall below the lesser of the number before and the
 * number wanted there (less one under `replace`). Where instances leave a machine without successors, the same holds
 * for the service on all machines, and at least one stays. Exempt are: stop and remove; what the operator allowed;
 * going back to nothing; and workers, which take no requests, so none need stay.
 */
function wrongStep(before: State, data: EventData['StepStarted'], after: State): string[] {
  const { service, machine, retire, stop, start } = data
  const turn = before.turns[turnKey(service, machine)]
  if (!turn) return [`step without a turn on ${machine}`]
  const wrong: string[] = []
  const cut = stop.filter((id) => before.instances[id]?.traffic === 'active')
  if (cut.length > 0) wrong.push(`${cut.join()} stopped while in traffic`)
  const again = start.filter(({ id }) => id in before.instances)
  if (again.length > 0) wrong.push('an instance id was named twice')
  const mine = Object.values(before.instances).filter((one) => one.service === service && one.machine === machine)
  if (start.length > 0 && usesReplace(before, turn) && mine.length + start.length > (turn.target?.instances ?? 0)) {
    wrong.push(`${service} on ${machine} under replace: started beside ${mine.map(({ id }) => id).join()}`)
  }
  if (retire.length > 0 && data.step === 'switch' && !mayInterrupt(before, turn)) {
    wrong.push(...tooFew(before, after, turn))
  }
  return wrong
}

function mayInterrupt(state: State, turn: Turn): boolean {
  const rollout = state.rollouts[turn.rollout]
  const service = state.services[turn.service]
  const stopping = turn.direction === 'forward' && (rollout?.kind === 'stop' || rollout?.kind === 'remove')
  const undoing = turn.direction !== 'forward' && (!service?.current || service.stopped)
  return stopping || undoing || (rollout?.allowOutage ?? false)
}

function tooFew(before: State, after: State, turn: Turn): string[] {
  const { service, machine, target } = turn
  const wanted = target?.instances ?? 0
  const slack = usesReplace(before, turn) ? 1 : 0
  const here = [ready(before, service, machine).length, ready(after, service, machine).length] as const
  if (here[1] === here[0]) return []
  const what = `${service} on ${machine} (${turn.direction}): ready ${here.join(' -> ')}, wanted ${wanted}`
  const wrong = wanted > 0 && here[1] < Math.min(here[0], wanted) - slack ? [what] : []
  if (here[1] > 0 || isWorker(before, turn)) return wrong
  const all = [ready(before, service).length, ready(after, service).length] as const
  const least = Math.max(1, Math.min(all[0], wantedInAll(before, turn)) - slack)
  return all[1] < all[0] && all[1] < least
    ? [...wrong, `${what}; on all machines ${all.join(' -> ')}, at least ${least}`]
    : wrong
}

function wantedInAll(state: State, { direction, rollout, service }: Turn): number {
  const release = direction === 'forward' ? state.rollouts[rollout]?.release : state.services[service]?.current?.release
  if (!release) return 0
  const machines = Object.values(state.machines).filter(({ lost }) => !lost)
  return machines.reduce((sum, { name }) => sum + wantedOn(state, definitionOf(state, release), name), 0)
}

const usesReplace = (state: State, { service, machine, target }: Turn): boolean =>
  target?.strategy === 'replace' ||
  Object.values(state.instances).some(
    (one) =>
      one.service === service &&
      one.machine === machine &&
      definitionOf(state, one.release).rollout.strategy === 'replace',
  )

const isWorker = (state: State, { service, machine }: Turn): boolean =>
  Object.values(state.instances).every(
    (one) => one.service !== service || one.machine !== machine || definitionOf(state, one.release).listen === 'none',
  )

const ready = (state: State, service: string, machine?: string): Instance[] =>
  Object.values(state.instances).filter(
    (one) =>
      one.service === service &&
      (machine === undefined || one.machine === machine) &&
      one.state === 'ready' &&
      one.traffic === 'active' &&
      state.machines[one.machine]?.lost === false &&
      (machine !== undefined || state.machines[one.machine]?.traffic === 'ready'),
  )

function lastTaken(state: State, machine: string): string[] {
  if (state.maintenance?.state === 'running' && state.maintenance.allowOutage) return []
  return Object.keys(state.services)
    .filter((service) => Object.values(state.instances).some((one) => one.service === service && one.state === 'ready'))
    .flatMap((service) => {
      const serving = ready(state, service).filter((one) => definitionOf(state, one.release).listen !== 'none')
      const elsewhere = serving.filter((one) => one.machine !== machine)
      return serving.length > 0 && elsewhere.length === 0 ? [`drain of ${machine} takes the last of ${service}`] : []
    })
}

const secondRollout = (state: State, service: string): string[] =>
  Object.values(state.rollouts).some((one) => one.service === service && one.stage !== 'finished')
    ? [`a second rollout of ${service}`]
    : []

const stages = ['fetching', 'preparing', 'turns', 'returning', 'finished']

function movedBack(before: State, after: State): string[] {
  const wrong: string[] = []
  for (const [id, rollout] of Object.entries(after.rollouts)) {
    const was = before.rollouts[id]
    if (was && stages.indexOf(rollout.stage) < stages.indexOf(was.stage)) wrong.push(`rollout ${id} went back a stage`)
  }
  for (const [id, instance] of Object.entries(after.instances)) {
    const was = before.instances[id]
    if (!was || was === instance) continue
    if (was.state === 'stopping' && instance.state !== 'stopping') wrong.push(`${id} came back from stopping`)
    if (was.state !== 'starting' && instance.state === 'starting') wrong.push(`${id} starts again under its old name`)
    if (was.release !== instance.release || was.machine !== instance.machine) wrong.push(`${id} is another one now`)
  }
  return wrong
}

/** Invariants of every desired state that is sent. */
export function wrongDesire(state: State, desire: MachineDesire): string[] {
  const wrong: string[] = []
  const named = [
    ...desire.instances.map((one) => one.release),
    ...desire.prepare.map((one) => one.release),
    ...desire.routes.flatMap((route) => route.releases),
  ]
  for (const release of named) if (!desire.definitions[release]) wrong.push(`no definition of ${release}`)
  for (const release of [...named, ...desire.fetch])
    if (!desire.keep.includes(release)) wrong.push(`${release} not kept`)
  for (const { service, match, releases, forwardTo } of desire.routes) {
    if (forwardTo.includes(desire.machine)) wrong.push(`${service} is forwarded to itself`)
    const away = forwardTo.filter((machine) => state.machines[machine]?.traffic !== 'ready')
    if (away.length > 0) wrong.push(`${service} is forwarded to ${away.join()}, out of traffic`)
    const other = releases.filter((release) => !declares(state, service, release, match))
    if (other.length > 0) wrong.push(`a route of ${service} leads to ${other.join()}, which does not declare it`)
  }
  if (new Set(desire.instances.map(({ id }) => id)).size < desire.instances.length) wrong.push('an instance twice')
  return wrong
}

const declares = (state: State, service: string, release: string, match: object): boolean =>
  Object.values(state.generations).some(
    (generation) =>
      generation.service === service &&
      generation.release === release &&
      generation.routes.some((route) => JSON.stringify(route) === JSON.stringify(match)),
  )
