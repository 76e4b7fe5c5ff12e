import { describe, expect, it } from 'vitest'
import { abilityNames } from '../protocol/slices.ts'
import { given } from './testing/given.ts'
import { momentOf } from './moment.ts'
import type { World } from './rooms.ts'
import { refuseUnable, unableTo } from './unable.ts'

/** The state of a machine on which a service with a local port runs, whatever its agent can do. */
function withLocalPort(): { before: World; after: World } {
  const { world } = given('a', 'b').running('r1')
  const before = world.state
  const [id = '', generation] = Object.entries(before.generations)[0] ?? []
  if (!generation) throw new Error('nothing runs')
  const local = { kind: 'local', carries: 'tcp', address: '127.77.0.1', port: 6379 } as const
  return { before, after: { ...before, generations: { [id]: { ...generation, routes: [local] } } } }
}

const reported = (abilities: string[]) => {
  const { world } = given('a')
  world.machine('a').abilities = abilities
  world.hear('a')
  const { observed } = world
  return {
    observed,
    moment: momentOf(world.state, {
      observed,
      self: { version: '1', program: null, awaitsMachines: false },
      at: 0,
      now: null,
    }),
  }
}

describe('a machine whose agent lacks an ability', () => {
  it('is refused the change that needs it, by its name and version', () => {
    const { before, after } = withLocalPort()
    expect(refuseUnable(before, after, reported([]).moment)).toMatchObject({
      code: 'E_NO_ABILITY',
      message: 'machine a runs Tandem test, which cannot serve the local ports of shop',
      subject: 'a',
    })
    expect(refuseUnable(before, after, reported(abilityNames).moment)).toBeNull()
  })

  it('does not hinder other changes when it wanted the ability before', () => {
    const { after } = withLocalPort()
    expect(refuseUnable(after, after, reported([]).moment)).toBeNull()
  })

  it('is shown with everything that it cannot do', () => {
    const { before, after } = withLocalPort()
    const report = reported([]).observed['a']?.report
    if (!report) throw new Error('no report')
    expect(unableTo(before, report)).toEqual([])
    expect(unableTo(after, report)).toEqual(['serve the local ports of shop'])
  })
})
