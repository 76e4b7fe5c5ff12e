import { describe, expect, it } from 'vitest'
import { deploy } from '../../decider/testing/given.ts'
import { World } from '../../decider/testing/world.ts'
import type { ClusterDefinition } from '../../definitions/cluster.ts'
import type { Definition } from '../../definitions/definition.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { noCounts, withReport } from './callCounts.ts'
import { withRefusals } from './checkup.ts'
import { guardView, unguarded, whyView } from './view.ts'

const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'none' } as const

function given(firewall: ClusterDefinition['firewall'] = { mode: 'enforce', users: ['zabbix'] }) {
  const world = new World(['a'], undefined, { cluster: 'production', laptop: false })
  const cluster: ClusterDefinition = {
    ...{ cluster: 'production', controllers: ['c:7480'], addresses: [], advert: 100, drivers, firewall },
    machines: { a: { address: '10.0.0.1', drivers } },
    entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  }
  world.send({ type: 'ApplyCluster', cluster, force: false })
  const push = (release: string, definition: Partial<Definition>): void => {
    const whole = aDefinition(definition)
    world.publish(release, whole)
    world.send(deploy(release, { service: whole.service })(world))
    world.settle()
  }
  push('p1', { service: 'postgres', listen: 'tcp', routes: [{ port: 5432, expose: 'local' }] })
  push('r1', { uses: [{ service: 'postgres' }] })
  const report = (calls: World['observed'][string]['report']['firewall']['calls']) => {
    world.machine('a').firewall = { state: firewall.mode === 'enforce' ? 'enforcing' : 'observing', why: null, calls }
    world.hear('a')
    return { machine: 'a', firewall: world.machine('a').firewall }
  }
  return { world, report }
}

describe('why a caller may connect', () => {
  it.each([
    ['shop', true, '`uses` of shop names postgres', null],
    ['postgres', true, 'a service may connect to itself', null],
    ['root', true, 'root may connect to everything', null],
    ['zabbix', true, 'cluster.yaml names zabbix in `firewall: users`', null],
    [
      'man',
      false,
      'man is the user of no service, and cluster.yaml does not name it in `firewall: users`',
      'add it to cluster.yaml:   firewall: { users: [zabbix, man] }',
    ],
  ])('%s: %s', (from, may, why, next) => {
    expect(whyView(given().world.state, noCounts, from, 'postgres')).toMatchObject({ may, why, next })
  })

  it('names the key that opens the way, and says where nothing is refused', () => {
    const { world } = given({ mode: 'observe' })
    expect(whyView(world.state, noCounts, 'postgres', 'shop')).toMatchObject({
      ...{ may: false, why: '`uses` of postgres does not name shop; it is only counted' },
      next: 'add it to the definition of postgres, and push it:   uses: [shop]',
    })
    expect(() => whyView(world.state, noCounts, 'shop', 'postgrez')).toThrow(
      expect.objectContaining({ code: 'E_NO_SUCH_SERVICE' }),
    )
  })
})

it('says on a laptop that nothing is kept apart, if a service uses another one', () => {
  const world = new World(['a'])
  expect(unguarded(world.state)).toEqual([])
  world.publish('r1', aDefinition({ uses: [{ service: 'postgres', optional: true }] }))
  world.send(deploy('r1')(world))
  expect(unguarded(world.state)).toEqual(['`uses` not enforced: all services of a laptop run as one user'])
})

describe('refused connections', () => {
  const call = { from: 'user man', to: 'postgres', port: 5432, seen: 0, refused: 2 }

  it('are one event for the first of each pair, and stand in the view', () => {
    const { world, report } = given()
    const events = () => world.log.filter(({ type }) => type === 'ConnectionRefused').map(({ data }) => data)
    report([call])
    const newest = report([
      { ...call, refused: 9 },
      { ...call, to: 'not-here' },
    ])
    expect(events()).toEqual([{ from: 'user man', to: 'postgres', machine: 'a', port: 5432, enforced: true }])
    const counts = withReport(noCounts, newest, world.now)
    expect(guardView(world.state, world.observed, counts)).toMatchObject({
      mode: 'enforce',
      machines: [{ machine: 'a', state: 'enforcing', why: null }],
      calls: [
        { from: 'user man', to: 'not-here', may: false },
        { from: 'user man', to: 'postgres', may: false, seen: null, refused: { count: 9 } },
      ],
    })
    const own = { machine: '(controller)', checked: ['disk'], findings: [] }
    const found = (now: number) => withRefusals(own, world.state, world.observed, counts, now).findings
    expect(found(world.now)).toContainEqual({
      ...{ area: 'firewall', level: 'wrong', next: 'tandem firewall why man postgres' },
      what: expect.stringContaining('user man was refused 9 connections to postgres, last at '),
    })
    expect(found(world.now + 25 * 3_600_000)).toEqual([])
  })

  it('are told as those that would be refused, while a cluster only observes', () => {
    const { world, report } = given({ mode: 'observe' })
    report([{ ...call, seen: 2 }])
    expect(world.log.at(-1)).toMatchObject({ type: 'ConnectionRefused', data: { enforced: false } })
    report([{ ...call, refused: 0, from: 'shop' }])
    expect(world.log.filter(({ type }) => type === 'ConnectionRefused')).toHaveLength(1)
  })
})
