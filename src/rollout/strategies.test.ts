import { describe, expect, it } from 'vitest'
import { abort, deploy, given, restart } from '../decider/testing/given.ts'

const replace = { rollout: { strategy: 'replace', drainMs: 30_000 } } as const

describe('overlap', () => {
  it('starts new beside old, switches in one step, drains, stops; one machine after the other', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).settled()
    expect(then.lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'a forward',
      'a start *x2-a-1',
      'a switch +x2-a-1 -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
      'b forward',
      'b start *x2-b-1',
      'b switch +x2-b-1 -x1-b-1',
      'b drain x1-b-1',
      'b stop x1-b-1',
      'b done',
      'x2 completed',
    ])
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('starts no machine before all have fetched', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { slowFetch: true }).when(deploy('r2')).settled()
    expect(then.lines()).toEqual(['x2 started: deploy r2 on a b'])
    expect(then.on('b', { slowFetch: false }).settled().lines().at(-1)).toBe('x2 completed')
  })

  it('changes the number of instances, up and down, with all new ones ready before the switch', () => {
    const up = given('a').running('r1').published('r2', { instances: 3 }).when(deploy('r2')).settled()
    expect(up.lines()).toEqual([
      'x2 started: deploy r2 on a',
      'a forward',
      'a start *x2-a-1 *x2-a-2 *x2-a-3',
      'a switch +x2-a-1 +x2-a-2 +x2-a-3 -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
      'x2 completed',
    ])
    const down = up.published('r3').when(deploy('r3')).settled()
    expect(down.lines().slice(2, 6)).toEqual([
      'a start *x3-a-1',
      'a switch +x3-a-1 -x2-a-1 -x2-a-2 -x2-a-3',
      'a drain x2-a-1 x2-a-2 x2-a-3',
      'a stop x2-a-1 x2-a-2 x2-a-3',
    ])
    expect(down.runs()).toEqual({ a: ['r3 ready active'] })
  })

  it('restarts the same release as new instances, without an empty machine', () => {
    const then = given('a').running('r1').when(restart()).settled()
    expect(then.lines()).toEqual([
      'x2 started: restart r1 on a',
      'a forward',
      'a start *x2-a-1',
      'a switch +x2-a-1 -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
      'x2 completed',
    ])
  })
})

describe('replace', () => {
  it('drains, stops, starts and routes, after the other machines have stopped forwarding to it', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).when(deploy('r2')).settled()
    expect(then.lines().slice(0, 9)).toEqual([
      'x2 started: deploy r2 on a b',
      'a forward',
      'a unforward',
      'a switch -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a start *x2-a-1',
      'a switch +x2-a-1',
      'a done',
    ])
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('waits for the other balancers before the last instance leaves, and makes them forward again afterwards', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).on('b', { balancerStuck: true })
    then.when(deploy('r2')).settled()
    expect(then.lines().at(-1)).toBe('a unforward')
    expect(then.world.machine('b').desire?.routes[0]?.forwardTo).toEqual([])
    then.on('b', { balancerStuck: false }).settled()
    expect(then.lines().at(-1)).toBe('x2 completed')
    expect(then.world.machine('b').desire?.routes[0]?.forwardTo).toEqual(['a'])
  })

  it.each([
    ['the old release', replace, {}],
    ['the new release', {}, replace],
  ])('applies if %s declares it', (_, old, next) => {
    const then = given('a', 'b').running('r1', old).published('r2', next).when(deploy('r2')).settled()
    expect(then.lines().slice(2, 4)).toEqual(['a unforward', 'a switch -x1-a-1'])
  })

  it('replaces one instance at a time, so that the others serve', () => {
    const two = { ...replace, instances: 2 }
    const then = given('a').running('r1', two).published('r2', two).when(deploy('r2')).settled()
    expect(then.lines()).toEqual([
      'x2 started: deploy r2 on a',
      'a forward',
      'a switch -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a start *x2-a-1',
      'a switch +x2-a-1',
      'a switch -x1-a-2',
      'a drain x1-a-2',
      'a stop x1-a-2',
      'a start *x2-a-2',
      'a switch +x2-a-2',
      'a done',
      'x2 completed',
    ])
  })

  it('begins with the instance that does not serve', () => {
    const two = { ...replace, instances: 2 }
    const then = given('a').running('r1', two).published('r2', two)
    then.and((world) => {
      const broken = world.machine('a').running.get('shop-x1-a-2')
      Object.assign(broken ?? {}, { state: 'failed', unstable: true })
      world.machine('a').fates['r1'] = 'fails'
      world.hear('a')
    })
    expect(then.when(deploy('r2')).settled().lines().slice(2, 4)).toEqual(['a switch -x1-a-2', 'a drain x1-a-2'])
  })

  it('never runs old and new at once, also when it is aborted while the old instance is being stopped', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).on('a', { hangsAtStop: true })
    then.when(deploy('r2')).until('a stop x1-a-1').when(abort('x2')).settled()
    expect(then.lines()).toEqual(['x2 reversed: aborted by hand', 'a back', 'a stop x1-a-1'])
    then.on('a', { hangsAtStop: false }).settled()
    expect(then.lines()).toEqual(['a start *x2-a-1', 'a switch +x2-a-1', 'a done', 'x2 aborted'])
  })

  it('begins with the machine that runs none yet', () => {
    const then = given('a', 'b')
      .running('r1', { ...replace, machines: ['a'] })
      .published('r2', replace)
    const lines = then.when(deploy('r2')).settled().lines()
    expect(lines.slice(0, 2)).toEqual(['x2 started: deploy r2 on b a', 'b forward'])
    expect(lines.at(-1)).toBe('x2 completed')
  })

  it('holds requests for 30 s while it has no instance, and only then', () => {
    const then = given('a')
      .running('r1', replace)
      .published('r2', replace)
      .when(deploy('r2', { allowOutage: true }))
    then.until('a stop x1-a-1').settled()
    expect(then.world.machine('a').desire?.routes[0]?.holdMs).toBeNull()
    const during = given('a')
      .running('r1', replace)
      .published('r2', replace)
      .when(deploy('r2', { allowOutage: true }))
    during.on('a', { hangsAtStop: true }).settled()
    expect(during.world.machine('a').desire?.routes[0]?.holdMs).toBe(30_000)
  })
})

describe('machines of a service', () => {
  it('move from a to b: a does not leave before b serves', () => {
    const then = given('a', 'b')
      .running('r1', { machines: ['a'] })
      .published('r2', { machines: ['b'] })
    expect(then.when(deploy('r2')).settled().lines()).toEqual([
      'x2 started: deploy r2 on b a',
      'b forward',
      'b start *x2-b-1',
      'b switch +x2-b-1',
      'b done',
      'a forward',
      'a unforward',
      'a switch -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
      'x2 completed',
    ])
    expect(then.runs()).toEqual({ a: [], b: ['r2 ready active'] })
  })

  it('move from a to b: b fails, a was not touched', () => {
    const then = given('a', 'b')
      .running('r1', { machines: ['a'] })
      .published('r2', { machines: ['b'] })
    then
      .on('b', { fates: { r2: 'fails' } })
      .when(deploy('r2'))
      .settled()
    expect(then.lines().at(-1)).toBe('x2 reverted')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: [] })
    expect(then.part('x2', 'a')).toBe('untouched')
  })

  it('move from a to b while b is lost: a stays, and the rollout gives the reason', () => {
    const then = given('a', 'b')
      .running('r1', { machines: ['a'] })
      .published('r2', { machines: ['b'] })
    then.on('b', { alive: false }).passing(11_000).when(deploy('r2')).settled()
    expect(then.lines()).toContain(
      'x2 reversed: too few other instances of shop are ready to take the requests meanwhile',
    )
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: [] })
  })
})

describe('listen', () => {
  const tcp = { listen: 'tcp', routes: [{ port: 5672 }] } as const
  const worker = { listen: 'none' } as const
  it.each([
    ['http', {}, 'tcp', tcp],
    ['tcp', tcp, 'http', {}],
    ['http', {}, 'none', worker],
    ['none', worker, 'http', {}],
    ['none', worker, 'none', worker],
    ['tcp', tcp, 'tcp', tcp],
  ])('changes from %s to %s', (_from, old, _to, next) => {
    const then = given('a', 'b').running('r1', { ...old, routes: 'routes' in old ? [...old.routes] : null })
    then
      .published('r2', { ...next, routes: 'routes' in next ? [...next.routes] : null })
      .when(deploy('r2'))
      .settled()
    expect(then.lines().at(-1)).toBe('x2 completed')
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('none under replace on one machine needs no permission: a worker takes no requests', () => {
    const then = given('a')
      .running('r1', { ...worker, ...replace })
      .published('r2', { ...worker, ...replace })
    expect(then.when(deploy('r2')).settled().lines().at(-1)).toBe('x2 completed')
  })
})
