import type { RecordedEvent } from '../events/event.ts'
import { change, keepIf, without } from '../lib/records.ts'
import type { Instance, State } from './state.ts'

type InstanceEvent = Extract<
  RecordedEvent,
  { type: 'InstanceStarted' | 'InstanceReady' | 'InstanceFailed' | 'InstanceRecovered' | 'InstanceStopped' }
>

export function evolveInstance(before: State, event: InstanceEvent): State {
  const { instance: id, machine, mark } = event.data
  const state = { ...before, machines: change(before.machines, machine, (known) => ({ ...known, mark })) }
  const set = (with_: (instance: Instance) => Instance): State => ({
    ...state,
    instances: change(state.instances, id, with_),
  })
  switch (event.type) {
    case 'InstanceStarted':
      return set((instance) => ({ ...instance, started: true, port: event.data.port }))
    case 'InstanceReady':
      return set((instance) => ({
        ...instance,
        started: true,
        state: 'ready',
        interrupted: false,
        reason: null,
        port: event.data.port,
      }))
    case 'InstanceRecovered':
      return set((instance) => ({ ...instance, state: 'ready', interrupted: false, reason: null }))
    case 'InstanceFailed':
      return set((instance) => ({
        ...instance,
        state: 'failed',
        interrupted: event.data.interrupted ?? false,
        reason: event.data.reason,
      }))
    case 'InstanceStopped':
      return forgetUnusedGenerations({ ...state, instances: without(state.instances, id) })
  }
}

export const stopping = (instance: Instance, asked: number): Instance => ({
  ...instance,
  state: 'stopping',
  traffic: 'idle',
  stopAsked: asked,
})

/** Keeps a generation while an instance of it is left, its service runs it, or its rollout is in progress. */
export function forgetUnusedGenerations(state: State): State {
  const used = new Set(Object.values(state.instances).map((instance) => instance.generation))
  for (const service of Object.values(state.services)) {
    if (service.current) used.add(service.current.generation)
    if (service.rollout) used.add(service.rollout)
  }
  return { ...state, generations: keepIf(state.generations, (_, id) => used.has(id)) }
}
