import { expect, it } from 'vitest'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { createFakeAddress } from '../../drivers/address/fakeAddress.ts'
import { AddressKeeper, goodbyeMs } from './addressKeeper.ts'
import { aDesiredState } from '../testing/given.ts'

const settings = {
  ...{ cluster: 'test', address: '10.0.0.11', addresses: ['10.0.0.50'], advert: 100 },
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] as string[] },
  drivers: { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' },
} as const
const peers = [{ machine: 'b', host: '10.0.0.12', forwardPort: 7481 }]
const desired = (over: Parameters<typeof aDesiredState>[0] = {}) =>
  aDesiredState({ settings: { ...settings, addresses: [...settings.addresses] }, peers, ...over })

function keeping() {
  const driver = createFakeAddress()
  const said: string[] = []
  const silent: string[] = []
  const balancer = {
    endKeepAlive: async (on: boolean) => {
      said.push(`${on ? 'goodbye' : 'stay'} holding ${driver.held().length}`)
      if (!on && silent.splice(0).length > 0) throw new Error('no answer')
    },
  }
  const told = {
    applied: (position: number) => void said.push(`applied ${position}`),
    failed: (error: unknown) => void said.push(String(error)),
  }
  const clock = new VirtualClock()
  const failStayOnce = (): void => void silent.push('stay')
  return { driver, said, clock, failStayOnce, keeper: new AddressKeeper(driver, balancer, told, clock) }
}

it('passes the driver the addresses this machine may hold, and the other machines', async () => {
  const { driver, said, keeper } = keeping()
  await keeper.keep(desired({ addresses: { yields: [], refused: ['10.0.0.50'], othersServe: true } }))
  expect(driver.plans).toEqual([
    {
      ...{ position: 10, advert: 100, addresses: ['10.0.0.50'], eligible: true, yields: [], refused: ['10.0.0.50'] },
      ...{ othersServe: true, peers: [{ machine: 'b', host: '10.0.0.12' }] },
    },
  ])
  expect(said).toEqual(['stay holding 0', 'applied 10'])
})

it('ends idle kept-alive connections before it releases an address on purpose, and only then', async () => {
  const { said, clock, keeper } = keeping()
  await keeper.keep(desired())
  void keeper.keep(desired({ position: 11, addresses: { yields: ['10.0.0.50'], refused: [], othersServe: true } }))
  await clock.advance(goodbyeMs - 1)
  expect(said.slice(1)).toEqual(['applied 10', 'goodbye holding 1'])
  await clock.advance(1)
  await keeper.keep(desired({ position: 12, drained: true }))
  expect(said.slice(1)).toEqual(['applied 10', 'goodbye holding 1', 'stay holding 0', 'applied 11', 'applied 12'])
})

it('does not wait before it releases an address that another machine holds by name', async () => {
  const { said, keeper } = keeping()
  await keeper.keep(desired())
  await keeper.keep(desired({ position: 11, addresses: { yields: [], refused: ['10.0.0.50'], othersServe: true } }))
  expect(said.slice(1)).toEqual(['applied 10', 'applied 11'])
})

it('reports a failure of the driver, and keeps connections alive again', async () => {
  const { driver, said, keeper } = keeping()
  await keeper.keep(desired())
  driver.failNext(new Error('no keepalived'))
  const kept = keeper.keep(desired({ position: 11, drained: true }))
  keeper.close()
  await kept
  expect(said.slice(1)).toEqual(['applied 10', 'goodbye holding 1', 'stay holding 1', 'Error: no keepalived'])
})

it('keeps connections alive again, once, after an agent that was killed while it said goodbye', async () => {
  const { said, keeper } = keeping()
  await keeper.keep(desired())
  await keeper.keep(desired({ position: 11 }))
  expect(said).toEqual(['stay holding 1', 'applied 10', 'applied 11'])
})

it('retries keeping connections alive after a failure, although no address leaves any more', async () => {
  const { said, failStayOnce, keeper } = keeping()
  await keeper.keep(desired())
  failStayOnce()
  const kept = keeper.keep(desired({ position: 11, drained: true }))
  keeper.close()
  await kept
  await keeper.keep(desired({ position: 11, drained: true }))
  await keeper.keep(desired({ position: 12, drained: true }))
  expect(said.slice(2)).toEqual([
    ...['goodbye holding 1', 'stay holding 0', 'Error: no answer', 'stay holding 0', 'applied 11', 'applied 12'],
  ])
})
