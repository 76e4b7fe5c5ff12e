import type { Overview } from '../../src/api/overview.ts'
import type { Api } from './api.ts'
import type { ChangeProps } from './change.tsx'

type Machine = Overview['machines'][number]

const trafficOf = ({ state, traffic }: Machine): string => traffic ?? state
const isOut = (machine: Machine): boolean => trafficOf(machine) === 'drained' || trafficOf(machine) === 'draining'
const versionOf = (machine: Machine): string => `${machine.name} ${machine.state} ${trafficOf(machine)}`

const whereItIs = ({ name, state }: Machine): string =>
  state === 'lost' ? `machine ${name} is lost; when it returns, it is in traffic` : `machine ${name} is in traffic`

/** Takes a machine out of traffic, as every page offers it. */
export function drain(api: Api, machine: Machine): ChangeProps {
  const { name } = machine
  const given = { params: { machine: name }, body: {} }
  return {
    ...{ label: 'Drain', title: `Drain machine ${name}`, danger: true, version: versionOf(machine) },
    sentence: `Takes ${name} out of traffic and waits until its requests are finished. Its instances go on running.`,
    command: `tandem machine drain ${name}`,
    refusal: isOut(machine) ? `Nothing to do: machine ${name} is ${trafficOf(machine)}.` : null,
    ask: (signal) => api.rehearse('drainMachine', given, signal),
    run: () => api.call('drainMachine', given),
  }
}

/** Puts a machine back in traffic, likewise. */
export function putBack(api: Api, machine: Machine): ChangeProps {
  const { name } = machine
  const given = { params: { machine: name } }
  return {
    ...{ label: 'Put back', title: `Put machine ${name} back in traffic`, version: versionOf(machine) },
    sentence: `Starts the services of ${name} in the release that is current, and sends requests to them.`,
    command: `tandem machine ready ${name}`,
    refusal: isOut(machine) ? null : `Nothing to do: ${whereItIs(machine)}.`,
    ask: (signal) => api.rehearse('readyMachine', given, signal),
    run: () => api.call('readyMachine', given),
  }
}
