import { chainOf, type Links } from '../decision/links.ts'
import type { RolloutEvents } from '../events/rolloutEvents.ts'

const { away, back, lost, turn, instance: instanceChain } = chainOf
const rolling = (rollout: string): string => `rollout ${rollout}`
/** Machines fetch beside each other. */
const fetched = (rollout: string): string => `fetched ${rollout}`
const removal = (service: string): string => `removal ${service}`
const data = (service: string): string => `data ${service}`

const failed = (instance: string | null): string[] => (instance === null ? [] : [instanceChain(instance)])

export const rolloutLinks: Links<RolloutEvents> = {
  LoopbackAssigned: () => ({}),
  RolloutStarted: ({ rollout, service }) => ({ opens: [rolling(rollout)], ends: [removal(service), data(service)] }),
  ReleaseFetched: ({ rollout }) => ({ after: [rolling(rollout)], opens: [fetched(rollout)] }),
  PrepareStarted: ({ rollout }) => ({ after: [fetched(rollout)], in: [rolling(rollout)], ends: [fetched(rollout)] }),
  PrepareFinished: ({ rollout }) => ({ in: [rolling(rollout)] }),
  // A turn to catch up comes after the rollout, when its machine is back.
  TurnStarted: ({ rollout, service, machine }) => ({
    after: [fetched(rollout)],
    in: [rolling(rollout), back(machine)],
    opens: [turn(service, machine)],
    ends: [fetched(rollout)],
  }),
  StepStarted: ({ service, machine, start, stop }) => ({
    in: [turn(service, machine)],
    opens: [...start.map(({ id }) => id), ...stop].map(instanceChain),
  }),
  TurnFinished: ({ rollout, service, machine, outcome, instance }) => ({
    after: [...failed(instance), ...(outcome === 'lost' ? [lost(machine), away(machine)] : [])],
    in: [turn(service, machine), rolling(rollout)],
    ends: [turn(service, machine)],
  }),
  MachinePassedOver: ({ rollout, machine }) => ({ after: [lost(machine), away(machine), rolling(rollout)] }),
  RolloutReversed: ({ rollout, instance }) => ({
    ...{ after: failed(instance), in: [rolling(rollout)], ends: [fetched(rollout)] },
  }),
  RolloutFinished: ({ rollout, service }) => ({
    in: [rolling(rollout)],
    opens: [removal(service)],
    ends: [rolling(rollout), fetched(rollout)],
  }),
  ServiceRemoved: ({ service }) => ({ in: [removal(service)], opens: [data(service)], ends: [removal(service)] }),
  DataRemoved: ({ service }) => ({ after: [data(service)] }),
}
