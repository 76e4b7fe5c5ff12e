import { expect, it } from 'vitest'
import { httpRoute } from '../balancerLab.ts'
import { PeerAddresses, withAddresses } from './peerAddresses.ts'

const peer = (machine: string, host: string) => ({ machine, host, port: 7481 })
const planOf = (...hosts: string[]) => ({
  ...{ position: 1, machine: 'a' },
  routes: [httpRoute({ peers: hosts.map((host) => peer(host.split('.')[0] ?? '', host)) })],
})
const soon = 50

it('looks all names up at once, and continues without names that get no answer', async () => {
  const asked: string[] = []
  const peers = new PeerAddresses((host) => {
    asked.push(host)
    if (host === 'b.test') return new Promise(() => {})
    return host === 'c.test' ? Promise.resolve({ address: '10.0.0.13' }) : Promise.reject(new Error('ENOTFOUND'))
  }, soon)
  const plan = planOf('b.test', 'c.test', 'd.test', '10.0.0.14')
  const found = [
    ['c.test', '10.0.0.13'],
    ['10.0.0.14', '10.0.0.14'],
  ]
  expect(Object.fromEntries(await peers.of(plan))).toEqual(Object.fromEntries(found))
  await peers.of(plan)
  expect(asked.filter((host) => host === 'b.test')).toHaveLength(1)
  expect(asked.filter((host) => host === 'd.test')).toHaveLength(2)
})

it('keeps the address that HAProxy has for a machine whose name was not found; a machine without an address is reported', () => {
  const running = {
    backend: 'svc_other',
    name: 'peer:b',
    host: '10.0.0.12',
    port: 1,
    active: true,
    inMaintenance: false,
  }
  const { plan, unserved } = withAddresses(planOf('b.test', 'c.test'), new Map(), [running])
  expect(plan.routes[0]?.peers).toEqual([peer('b', '10.0.0.12')])
  expect(unserved).toEqual([{ service: 'shop', reason: expect.stringContaining('c.test of machine c') }])
})
