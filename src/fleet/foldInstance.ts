import type { Asked } from '../decision/base.ts'
import type { Recorded } from '../decision/room.ts'
import { change, without } from '../lib/records.ts'
import { newInstance, type FleetState, type Instance } from './state.ts'

type ReportedEvent = Recorded<'InstanceStarted' | 'InstanceReady' | 'InstanceFailed' | 'InstanceRecovered'>
type Fleet = Partial<FleetState>

/** A machine reported something about one of its instances. */
export const reported = (state: FleetState, event: ReportedEvent): Fleet => ({
  ...marked(state, event),
  instances: change(state.instances, event.data.instance, (instance) => ({ ...instance, ...changeOf(event) })),
})

function changeOf(event: ReportedEvent): Partial<Instance> {
  switch (event.type) {
    case 'InstanceStarted':
      return { started: true, port: event.data.port }
    case 'InstanceReady':
      return { started: true, state: 'ready', interrupted: false, reason: null, port: event.data.port }
    case 'InstanceRecovered':
      return { state: 'ready', interrupted: false, reason: null }
    case 'InstanceFailed':
      return { state: 'failed', interrupted: event.data.interrupted ?? false, reason: event.data.reason }
  }
}

export const stopped = (state: FleetState, event: Recorded<'InstanceStopped'>): Fleet => ({
  ...marked(state, event),
  instances: without(state.instances, event.data.instance),
})

/** Remembers the machine's newest report that became an event. */
export const marked = (
  { machines }: FleetState,
  { data: { machine, mark } }: Pick<Recorded<'DataRemoved' | 'InstanceStopped'> | ReportedEvent, 'data'>,
): Fleet => ({ machines: change(machines, machine, (known) => ({ ...known, mark })) })

/** A step of a turn names new instances, and changes the traffic of others. */
export function stepped(state: FleetState, { data }: Recorded<'StepStarted'>, asked: Asked): Fleet {
  const { service, machine, start, activate, retire, stop } = data
  let instances = { ...state.instances }
  for (const named of start) instances[named.id] = newInstance({ ...named, service, machine })
  for (const id of activate) instances = change(instances, id, (instance) => ({ ...instance, traffic: 'active' }))
  for (const id of retire) instances = change(instances, id, (instance) => ({ ...instance, traffic: 'idle' }))
  for (const id of stop) instances = change(instances, id, (instance) => stopping(instance, asked.position))
  const machines = change(state.machines, machine, (known) => ({ ...known, asked: asked.position }))
  return { instances, machines }
}

/** Instances of a removed service on a lost machine are stopped when the machine returns. */
export const serviceRemoved = (state: FleetState, { data }: Recorded<'ServiceRemoved'>, asked: Asked): Fleet => ({
  instances: Object.fromEntries(
    Object.entries(state.instances).map(([id, instance]) => [
      id,
      instance.service === data.service && instance.state !== 'stopping'
        ? stopping(instance, asked.position)
        : instance,
    ]),
  ),
})

const stopping = (instance: Instance, asked: number): Instance => ({
  ...instance,
  state: 'stopping',
  traffic: 'idle',
  stopAsked: asked,
})
