import { describe, expect, it } from 'vitest'
import { deploy, remove } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'

const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'none' } as const
const clusterOf = (firewall: ClusterDefinition['firewall']): ClusterDefinition => ({
  ...{ cluster: 'production', controllers: ['c:7480'], addresses: [], advert: 100, drivers },
  machines: Object.fromEntries(['a', 'b'].map((name) => [name, { address: `10.0.0.${name}`, drivers }])),
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  ...(firewall === undefined ? {} : { firewall }),
})

function given(firewall?: ClusterDefinition['firewall'], laptop = false) {
  const world = new World(['a', 'b'], undefined, { cluster: 'production', laptop })
  if (!laptop) world.send({ type: 'ApplyCluster', cluster: clusterOf(firewall), force: false })
  const push = (release: string, definition: Partial<Definition>, settle = true): void => {
    const whole = aDefinition(definition)
    world.publish(release, whole)
    world.send(deploy(release, { service: whole.service })(world))
    if (settle) world.settle()
  }
  push('p1', { service: 'postgres', listen: 'tcp', routes: [{ port: 5432, expose: 'local' }], machines: ['b'] })
  const guard = (machine = 'a') => world.machine(machine).desire?.firewall
  const callers = (machine = 'a'): Record<string, string[]> =>
    Object.fromEntries(
      (guard(machine)?.routes ?? []).map(({ service, port, callers: all }) => [`${service}:${port}`, all]),
    )
  return { world, push, guard, callers }
}

describe('the firewall of a machine', () => {
  it('opens the routes of a service to those that use it, on every machine, until their last instance is gone', () => {
    const { world, push, callers } = given()
    expect(callers()).toEqual({ 'postgres:5432': [] })
    push('r1', { uses: [{ service: 'postgres' }] })
    expect([callers('a'), callers('b')]).toEqual([{ 'postgres:5432': ['shop'] }, { 'postgres:5432': ['shop'] }])
    push('r2', {}, false)
    expect(callers()).toEqual({ 'postgres:5432': ['shop'] })
    world.settle()
    expect(callers()).toEqual({ 'postgres:5432': [] })
  })

  it('opens them before the first instance of a service that uses them starts', () => {
    const { world, push, callers } = given()
    push('r1', { uses: [{ service: 'postgres' }] }, false)
    world.round('a')
    expect(
      Object.values(world.state.instances).some(({ service, state }) => service === 'shop' && state === 'ready'),
    ).toBe(false)
    expect(callers()).toEqual({ 'postgres:5432': ['shop'] })
  })

  it('guards the port that an http service has for others, and forgets the service with its removal', () => {
    const { world, push, callers } = given()
    push('e1', { service: 'echo', routes: [{ host: 'echo.example.com', path: '/' }] })
    push('r1', { uses: [{ service: 'echo' }] })
    expect(callers()).toMatchObject({ 'echo:80': ['shop'] })
    world.send(remove({ service: 'shop' })(world))
    world.settle()
    expect(callers()['echo:80'] ?? []).toEqual([])
  })

  it('opens the metadata address to the services that name it', () => {
    const { push, guard } = given()
    push('r1', { uses: [{ address: '169.254.169.254:80' }, { address: 'api.example.com:443' }] })
    expect(guard()?.metadata).toEqual(['shop'])
    push('r2', { uses: [{ address: 'api.example.com:443' }] })
    expect(guard()?.metadata).toEqual([])
  })

  it('enforces on a new cluster, and stays as it is when a later file does not say', () => {
    const { world, guard } = given()
    const apply = (firewall: ClusterDefinition['firewall']): string | undefined => {
      world.send({ type: 'ApplyCluster', cluster: clusterOf(firewall), force: false })
      world.settle()
      return guard()?.mode
    }
    expect(guard()?.mode).toBe('enforce')
    expect([undefined, { users: ['zabbix'] }].map(apply)).toEqual(['enforce', 'enforce'])
    expect([{ mode: 'observe' as const }, { users: ['zabbix'] }, undefined].map(apply)).toEqual(
      Array(3).fill('observe'),
    )
    expect([{ mode: 'enforce' as const }, undefined].map(apply)).toEqual(['enforce', 'enforce'])
  })

  it('observes on a cluster whose file was applied before there was the key, and after it is applied again', () => {
    const { world, guard } = given()
    world.append({ type: 'ClusterApplied', data: { cluster: clusterOf(undefined) } })
    world.settle()
    expect(guard()?.mode).toBe('observe')
    world.send({ type: 'ApplyCluster', cluster: { ...clusterOf(undefined), controllers: ['d:7480'] }, force: false })
    world.settle()
    expect(guard()?.mode).toBe('observe')
  })

  it('opens it to the users of the cluster file, and guards nothing on a laptop', () => {
    expect(given({ mode: 'enforce', users: ['zabbix'] }).guard()).toMatchObject({ mode: 'enforce', users: ['zabbix'] })
    expect(given(undefined, true).guard()).toBe(null)
  })
})
