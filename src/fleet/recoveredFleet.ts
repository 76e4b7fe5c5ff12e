import type { Asked } from '../decision/base.ts'
import type { Recorded } from '../decision/room.ts'
import type { HeldState } from '../events/leadershipEvents.ts'
import { keepIf } from '../lib/records.ts'
import { asDeclared } from '../protocol/declaredRoutes.ts'
import { newInstance, type FleetState } from './state.ts'

/** For a machine that reported, the state that it holds replaces the log; for the other machines the log holds. */
export const recovered = (
  state: FleetState,
  { data: { held } }: Recorded<'LogRecovered'>,
  asked: Asked,
): Pick<FleetState, 'machines' | 'releases' | 'instances'> => ({
  machines: recoveredMachines(state, held),
  releases: recoveredReleases(state, held, asked),
  instances: recoveredInstances(state, held),
})

/** A log that may be gone decided whether a machine is drained: the desired state that the machine applied shows it. */
function recoveredMachines(state: FleetState, held: HeldState[]): FleetState['machines'] {
  const machines = { ...state.machines }
  for (const { machine, drained } of held) {
    const known = machines[machine]
    if (known) machines[machine] = { ...known, lost: false, traffic: drained ? 'drained' : 'ready', asked: 0 }
  }
  return machines
}

function recoveredReleases(state: FleetState, held: HeldState[], asked: Asked): FleetState['releases'] {
  const releases = { ...state.releases }
  for (const machine of held) {
    for (const [release, known] of Object.entries(machine.definitions)) {
      const definition = asDeclared(known, machine.declaredRoutes?.[release])
      releases[release] ??= { id: release, service: definition.service, definition, at: asked.at }
    }
  }
  return releases
}

function recoveredInstances(state: FleetState, held: HeldState[]): FleetState['instances'] {
  const answered = new Set(held.map(({ machine }) => machine))
  const instances = keepIf(state.instances, (instance) => !answered.has(instance.machine))
  for (const { machine, instances: run } of held) {
    for (const { traffic, ...about } of run) {
      instances[about.id] = { ...newInstance({ ...about, machine }), traffic, state: 'ready', started: true }
    }
  }
  return instances
}
