import { change, step, type Words, type Wording } from '../decision/words.ts'
import { serviceOfInstance, shortId } from '../definitions/names.ts'
import type { FleetEvents } from '../events/fleetEvents.ts'

const machines = {
  MachineRemoved: ({ machine }) => change('note', `machine ${machine}`, 'was removed from the cluster', { machine }),
  MachineJoined: ({ machine }) => change('done', `machine ${machine}`, 'joined', { machine }),
  MachineMoved: ({ machine, endpoints }) =>
    change('note', `machine ${machine}`, `is reached at ${endpoints.host} now`, { machine }),
  MachineLost: ({ machine, silentMs }) => {
    const seconds = Math.round(silentMs / 1000)
    return change('lost', `machine ${machine}`, `was lost: it did not report for ${seconds} s`, { machine })
  },
  MachineReturned: ({ machine }) => change('done', `machine ${machine}`, 'reports again', { machine }),
  MachineDrainStarted: ({ machine }) => change('running', `machine ${machine}`, 'is taken out of traffic', { machine }),
  MachineDrainStepped: ({ machine }) =>
    step('running', `machine ${machine}`, 'gets no requests from other machines', { machine }),
  MachineDrained: ({ machine, work }) => {
    const left = work === 0 ? '' : ` with ${work} requests or connections left`
    return change('done', `machine ${machine}`, `is out of traffic${left}`, { machine })
  },
  MachineReadied: ({ machine }) => change('done', `machine ${machine}`, 'is put back in traffic', { machine }),
} satisfies Partial<Words<FleetEvents>>

const instances = {
  InstanceStarted: (data) => step('running', ...at(data, 'started')),
  InstanceReady: (data) => step('done', ...at(data, 'is ready')),
  InstanceFailed: (data) =>
    data.interrupted === true
      ? step('warn', ...at(data, `was interrupted: ${data.reason}`))
      : change('failed', ...at(data, `failed: ${data.reason}`)),
  InstanceRecovered: (data) => change('done', ...at(data, 'is ready again')),
  InstanceStopped: (data) => step('note', ...at(data, 'stopped')),
} satisfies Partial<Words<FleetEvents>>

type Said = [subject: string, text: string, places: Partial<Wording>]

function at({ instance, machine }: { instance: string; machine: string }, text: string): Said {
  const service = serviceOfInstance(instance, machine)
  return [`${service ?? instance} on ${machine}`, text, { service, machine, instance }]
}

export const fleetWords: Words<FleetEvents> = {
  ...machines,
  ...instances,
  ClusterApplied: () => change('note', 'cluster file', 'was applied'),
  ReleasePublished: ({ service, release }) =>
    step('note', service, `release ${shortId(release)} was published`, { service }),
  ReleasesCollected: ({ releases }) =>
    step('note', 'release store', `removed ${releases.length === 1 ? '1 release' : `${releases.length} releases`}`),
}
