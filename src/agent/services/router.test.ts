import { expect, it } from 'vitest'
import { FakeBalancer } from '../../drivers/balancer/fakeBalancer.ts'
import { Router } from './router.ts'
import { aDesiredState } from '../testing/given.ts'

const none = new Map<string, never>()
const told = { applied: (): void => {}, failed: (): void => {} }

it('brings a change to the balancer, no matter at which moment of the previous plan it comes', async () => {
  // More steps than there are between the moment a plan is applied and the moment its caller hears of it.
  for (let steps = 0; steps < 40; steps++) {
    const balancer = new FakeBalancer()
    const router = new Router(balancer, 0, told)
    const first = router.route(aDesiredState({ position: 1 }), none)
    for (let step = 0; step < steps; step++) await Promise.resolve()
    await router.route(aDesiredState({ position: 2 }), none)
    expect(balancer.plan?.position, `after ${steps} steps`).toBe(2)
    await first
  }
})

it('merges simultaneous changes into one plan, and changes during a plan into the next one', async () => {
  const balancer = new FakeBalancer()
  const router = new Router(balancer, 0, told)
  const gate = Promise.withResolvers<void>()
  balancer.delayNextApply(gate.promise)
  const routed = [1, 2].map((position) => router.route(aDesiredState({ position }), none))
  await Promise.resolve()
  routed.push(...[3, 4].map((position) => router.route(aDesiredState({ position }), none)))
  gate.resolve()
  await Promise.all(routed)
  expect(balancer.plans.map(({ position }) => position)).toEqual([2, 4])
})

it('continues after a plan that failed', async () => {
  const balancer = new FakeBalancer()
  const failures: unknown[] = []
  const router = new Router(balancer, 0, { ...told, failed: (error) => failures.push(error) })
  balancer.failNextApply(new Error('no'))
  await router.route(aDesiredState({ position: 1 }), none)
  await router.route(aDesiredState({ position: 2 }), none)
  expect([failures, balancer.plan?.position]).toEqual([[new Error('no')], 2])
})
