import { describe, expect, it } from 'vitest'
import { desiredState } from './desiredState.ts'
import { heldState } from './recoverLog.ts'
import type { Definition } from '../definitions/definition.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { deploy, given, rollback, stop, type Request } from './testing/given.ts'
import { World } from './testing/world.ts'

type Given = ReturnType<typeof given>

const store: Request = () => ({
  ...{ type: 'StoreSecret', path: 'shop/db', fields: ['password'], bytes: 7, reason: null, of: null, cas: null },
})

/** The desired states that the machines applied, and a controller whose log is empty (or is `log`) that adopts them. */
function recovered(then: Given, log: Given['world']['log'] = [], names = [...then.world.machines.keys()]): World {
  const { world } = then
  const held = names.map((name) => heldState(desiredState(world.state, name)))
  const next = new World([])
  next.log = [...log]
  next.state = next.refold()
  for (const [name, machine] of world.machines) next.machines.set(name, machine)
  next.now = world.now
  next.state = { ...next.state, position: 1_000 }
  next.append({ type: 'LogRecovered', data: { id: 'rescue', version: 'test', term: 8, held } })
  next.send({ type: 'LookAgain' })
  return next
}

const running = (world: World): string[] =>
  [...world.machines.values()].flatMap((machine) =>
    [...machine.running.values()].map(({ desired }) => `${machine.name} ${desired.id} ${desired.traffic}`),
  )

describe('recovering a lost log', () => {
  it('adopts the running instances and changes no service', () => {
    const then = given('a', 'b')
      .running('r1')
      .running('q1', { service: 'blog', machines: ['b'] })
    const before = running(then.world)
    const world = recovered(then)
    world.settle()
    expect(running(world)).toEqual(before)
    expect(world.state.terms.at(-1)).toMatchObject({ term: 8, recovered: true })
    expect(world.state.services['shop']?.current?.release).toBe('r1')
    expect(world.log.filter(({ type }) => /Turn|Step/.test(type))).toEqual([])
  })

  it('keeps each definition as it was published: a release that only machines know keeps its secrets and settings', () => {
    const more: Partial<Definition> = {
      uses: [{ service: 'mail', optional: true }],
      secrets: { db: { from: 'db' } },
      config: { WORKERS: { type: 'integer', default: '4' } },
      files: { 'etc/a': { template: 'a.liquid' } },
      about: { owner: 'payments' },
      requires: { commands: ['psql'] },
      health: { ...aDefinition().health, host: 'shop.example' },
      routes: [{ port: 8_080, expose: 'local' }],
    }
    const then = given('a', 'b').when(store).running('r1', more)
    const published = then.world.state.releases['r1']?.definition
    expect(published).toMatchObject(more)
    expect(recovered(then).state.releases['r1']?.definition).toEqual(published)
    const held = desiredState(then.world.state, 'a')
    const later = { ...held, publishedKeys: { r1: { inventedLater: 1, ...held.publishedKeys['r1'] } } }
    expect(heldState(JSON.parse(JSON.stringify(later)) as typeof later).definitions['r1']).toEqual(published)
  })

  it.each(['a start *x2-a-1', 'a switch +x2-a-1 -x1-a-1', 'a drain x1-a-1', 'b start *x2-b-1', 'b drain x1-b-1'])(
    'also in the middle of a rollout, at "%s"',
    (line) => {
      const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until(line)
      const wanted = Object.values(then.world.state.instances).filter(({ state }) => state !== 'stopping')
      const world = recovered(then)
      world.settle()
      const before = wanted.map(({ machine, id, traffic }) => `${machine} ${id} ${traffic}`)
      expect(running(world).toSorted()).toEqual(before.toSorted())
      expect(world.log.filter(({ type }) => /Turn|Step/.test(type))).toEqual([])
    },
  )

  it('lets the next rollout correct everything, with instance names that were never used before', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('b start *x2-b-1')
    const world = recovered(then)
    world.settle()
    const how = { kind: 'deploy', allowOutage: false, removeData: false } as const
    world.send({ type: 'StartRollout', rollout: 'y1', service: 'shop', release: 'r2', ...how })
    world.settle()
    expect(running(world)).toEqual(['a shop-y1-a-1 active', 'b shop-y1-b-1 active'])
  })

  it('from an older log keeps what the log knows of machines that did not answer, and of releases', () => {
    const then = given('a', 'b').running('r1').running('r2')
    const older = [...then.world.log]
    then.running('r3')
    const world = recovered(then, older, ['a'])
    expect(Object.values(world.state.instances).map(({ id }) => id)).toEqual(['shop-x2-b-1', 'shop-x3-a-1'])
    expect(Object.keys(world.state.releases)).toEqual(['r1', 'r2', 'r3'])
    expect(world.state.services['shop']?.completed).toEqual(['r1', 'r2'])
  })

  it('keeps a stopped service stopped', () => {
    const then = given('a').running('r1').when(stop()).settled()
    const world = recovered(then, then.world.log)
    expect(world.state.services['shop']?.stopped).toBe(true)
    world.settle()
    expect(running(world)).toEqual([])
  })

  it('can roll back afterwards', () => {
    const then = given('a').running('r1').running('r2')
    const world = recovered(then, then.world.log)
    world.settle()
    world.send(rollback()(world))
    world.settle()
    expect(running(world)).toHaveLength(1)
    expect(Object.values(world.state.instances)[0]?.release).toBe('r1')
  })
})
