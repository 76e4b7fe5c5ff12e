import { expect, it } from 'vitest'
import { aDefinition, aDesiredState, anInstance } from '../../agent/testing/given.ts'
import { createAuthority } from '../../identity/authority.ts'
import { identityOf } from '../../privileged/testing/performerLab.ts'
import { ServiceOrders } from './orders.ts'

const release = 'f'.repeat(64)
const desired = (term: number, position: number, id = 'shop-r1-a-1') => ({
  ...aDesiredState({
    instances: [anInstance({ id, service: 'shop', generation: 'r1', release })],
    definitions: { [release]: aDefinition() },
  }),
  ...{ term, position },
})

it('signs an order again when its content, the term or the certificate has changed', async () => {
  const authority = await createAuthority('shop', Date.now())
  const [first, second] = [await identityOf(authority, 'controller'), await identityOf(authority, 'controller')]
  const orders = new ServiceOrders()
  const of = (...[wanted, identity = first]: [ReturnType<typeof desired>, typeof first?]) =>
    orders.of(wanted, identity)['shop']
  const one = of(desired(1, 10))
  expect(of(desired(1, 11))).toBe(one)
  expect(of(desired(1, 11, 'shop-r1-a-2'))?.order).toContain('"position":11')
  expect(of(desired(2, 12, 'shop-r1-a-2'))?.order).toContain('"term":2')
  const again = of(desired(2, 13, 'shop-r1-a-2'), second)
  expect(again?.order).toContain('"position":13')
})
