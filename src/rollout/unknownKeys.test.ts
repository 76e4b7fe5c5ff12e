import { describe, expect, it } from 'vitest'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { Definition } from '../definitions/definition.ts'
import { deploy, restart, rollback, stop } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import { laterPaths } from '../definitions/keyPaths.ts'

/** A cluster in which b has an agent from before agents reported the keys that they know. */
function withOldAgent(...machines: string[]): World {
  const world = new World(machines)
  world.machine('b').definitionKeys = []
  world.hear('b')
  return world
}

function push(world: World, release: string, definition: Partial<Definition>): unknown {
  world.publish(release, aDefinition(definition))
  const decision = world.send(deploy(release)(world))
  world.settle()
  return decision
}

const about = { owner: 'payments' }

describe('a rollout whose definition has a key that an agent does not know', () => {
  it('is refused, and names machine, version and key', () => {
    expect(push(withOldAgent('a', 'b'), 'r1', { about })).toMatchObject({
      ...{ type: 'refused', code: 'E_NO_ABILITY', subject: 'shop' },
      message: 'machine b runs Tandem test, which does not know the key `about` of this definition',
    })
  })

  it('names the key inside a group that the agent knows', () => {
    const world = withOldAgent('a', 'b')
    world.machine('b').definitionKeys = laterPaths.filter((path) => path !== 'about.owner')
    world.hear('b')
    expect(push(world, 'r1', { about })).toMatchObject({ message: expect.stringContaining('`about.owner`') })
  })

  it('is accepted where that machine does not run it and never sees the key', () => {
    expect(push(withOldAgent('a', 'b'), 'r1', { about, machines: ['a'] })).toMatchObject({ type: 'accepted' })
  })

  it('is accepted with the keys that every agent knows, and by agents that report the key', () => {
    const jail = { write: ['/srv/uploads'], seeProcesses: true as const }
    expect(push(withOldAgent('a', 'b'), 'r1', { jail })).toMatchObject({ type: 'accepted' })
    expect(push(new World(['a', 'b']), 'r1', { about })).toMatchObject({ type: 'accepted' })
  })

  it('is accepted while that machine is lost', () => {
    const world = withOldAgent('a', 'b')
    world.machine('b').alive = false
    world.pass(60_000)
    expect(push(world, 'r1', { about })).toMatchObject({ type: 'accepted' })
  })

  it('is refused also when it goes back to the release or restarts it, but can be stopped', () => {
    const world = new World(['a', 'b'])
    push(world, 'r1', { about })
    push(world, 'r2', {})
    world.machine('b').definitionKeys = []
    world.hear('b')
    expect(world.send(rollback()(world))).toMatchObject({ type: 'refused', code: 'E_NO_ABILITY' })
    expect(world.send(restart()(world))).toMatchObject({ type: 'accepted' })
    world.settle()
    expect(world.send(stop()(world))).toMatchObject({ type: 'accepted' })
  })
})
