import { expect, it } from 'vitest'
import { ReportedInstances } from './agentReport.ts'
import type { LocalInstance } from './localInstance.ts'
import { aDefinition } from './testing/given.ts'

const balancer = { inFlight: () => ({ work: 0, long: 0 }) }
const ready = (about: Partial<LocalInstance> = {}): LocalInstance =>
  ({
    ...{ id: 'shop-r1-a-1', release: 'r1', definition: aDefinition(), state: 'ready', reason: null, port: 1, pid: 2 },
    ...{ since: 1_000, restarts: 0, unstable: false, awaitsRoute: true },
    ...about,
  }) as LocalInstance // the fields that a report reads

it('an instance that shall get work is starting until the balancer has it', () => {
  const [reported, instance] = [new ReportedInstances(), ready()]
  expect(reported.of(instance, 'active', balancer).state).toBe('starting')
  instance.awaitsRoute = false
  expect(reported.of(instance, 'active', balancer).state).toBe('ready')
})

it('one that was ready before stays ready at a switch, and is starting after it came back', () => {
  const [reported, instance] = [new ReportedInstances(), ready()]
  expect(reported.of(instance, 'idle', balancer).state).toBe('ready')
  expect(reported.of(instance, 'active', balancer).state).toBe('ready')
  Object.assign(instance, { state: 'failed', since: 2_000 })
  expect(reported.of(instance, 'active', balancer).state).toBe('failed')
  Object.assign(instance, { state: 'ready', since: 3_000 })
  expect(reported.of(instance, 'active', balancer).state).toBe('starting')
})
