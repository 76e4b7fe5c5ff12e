import { describe, expect, it } from 'vitest'
import { abort, deploy, given } from '../decider/testing/given.ts'

const replace = { rollout: { strategy: 'replace', drainMs: 30_000 } } as const
const prepare = { prepare: ['./migrate'] }

describe('prepare', () => {
  it('runs once, on one machine, before any instance starts', () => {
    const then = given('a', 'b').running('r1').published('r2', prepare).when(deploy('r2')).settled()
    expect(then.lines().slice(0, 5)).toEqual([
      'x2 started: deploy r2 on a b',
      'prepare on a',
      'prepared',
      'a forward',
      'a start *x2-a-1',
    ])
    expect(then.world.machine('a').prepared).toHaveLength(1)
    expect(then.world.machine('b').prepared).toHaveLength(0)
  })

  it('that fails changes nothing', () => {
    const then = given('a', 'b').running('r1').published('r2', prepare).on('a', { prepareFate: 'fails' })
    expect(then.when(deploy('r2')).settled().lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'prepare on a',
      'x2 reversed: prepare failed on machine a: it exited with status 1',
      'x2 reverted',
    ])
    expect(then.part('x2', 'a')).toBe('untouched')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('on a machine that is lost meanwhile changes nothing', () => {
    const then = given('a', 'b').running('r1').published('r2', prepare).on('a', { prepareFate: 'hangs' })
    then.when(deploy('r2')).settled().on('a', { alive: false }).passing(11_000)
    expect(then.lines().slice(2)).toEqual([
      'a lost',
      'x2 reversed: machine a was lost while it prepared',
      'x2 reverted',
    ])
  })

  it('that never ends is given up after half an hour', () => {
    const then = given('a').running('r1').published('r2', prepare).on('a', { prepareFate: 'hangs' }).when(deploy('r2'))
    then.settled().passing(1_799_000, 60_000)
    expect(then.lines()).toEqual(['x2 started: deploy r2 on a', 'prepare on a'])
    expect(then.passing(1_000).lines()).toEqual(['x2 reversed: prepare did not end within 30 minutes', 'x2 reverted'])
  })
})

describe('fetching', () => {
  it('that fails touches no machine', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('b', { unfetchable: new Set(['r2']) })
    expect(then.when(deploy('r2')).settled().lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'x2 reversed: machine b could not fetch the release: hash mismatch',
      'x2 reverted',
    ])
  })

  it('is given up after ten minutes', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { slowFetch: true }).when(deploy('r2'))
    then.passing(599_000, 5_000)
    expect(then.lines()).toEqual(['x2 started: deploy r2 on a b'])
    expect(then.passing(1_000).lines()[0]).toBe('x2 reversed: machine b did not fetch the release in time')
  })

  it('is not requested of a machine that only loses its instances', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2', { machines: ['b'] })
      .on('a', { slowFetch: true })
    expect(then.when(deploy('r2')).settled().lines().at(-1)).toBe('x2 completed')
  })
})

describe('a failure', () => {
  it('on the first machine touches no other', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'fails' } })
    expect(then.when(deploy('r2')).settled().lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'a forward',
      'a start *x2-a-1',
      'x2-a-1 failed',
      'a failed',
      'x2 reversed: instance x2-a-1 exited with status 1',
      'a back',
      'a drain x2-a-1',
      'a stop x2-a-1',
      'a done',
      'x2 reverted',
    ])
    expect([then.part('x2', 'a'), then.part('x2', 'b')]).toEqual(['reverted', 'untouched'])
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('seen late, as a process that restarts and was never ready, ends the turn at once', () => {
    const then = given('a')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
      .settled()
    expect(then.lines().at(-1)).toBe('a start *x2-a-1')
    then.and((world) => {
      for (const one of world.machine('a').running.values()) if (one.desired.release === 'r2') one.restarts = 1
    })
    const said = then.settled().lines()
    expect(said.slice(0, 3)).toEqual([
      'x2-a-1 failed',
      'a failed',
      'x2 reversed: instance x2-a-1 ended before it was ready',
    ])
    expect(said.at(-1)).toBe('x2 reverted')
  })

  it('on the second machine reverts both, the failing one first, with the same care', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('b', { fates: { r2: 'fails' } })
    then.when(deploy('r2')).until('b failed')
    expect(then.settled().lines().slice(-12)).toEqual([
      'x2 reversed: instance x2-b-1 exited with status 1',
      'b back',
      'b drain x2-b-1',
      'b stop x2-b-1',
      'b done',
      'a back',
      'a start *x2-a-2',
      'a switch +x2-a-2 -x2-a-1',
      'a drain x2-a-1',
      'a stop x2-a-1',
      'a done',
      'x2 reverted',
    ])
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('on the third of four machines reverts all before it, the last one first, and never touches the fourth', () => {
    const then = given('a', 'b', 'c', 'd')
      .running('r1')
      .published('r2')
      .on('c', { fates: { r2: 'fails' } })
    const turns = then
      .when(deploy('r2'))
      .settled()
      .lines()
      .filter((line) => line.endsWith(' back'))
    expect(turns).toEqual(['c back', 'b back', 'a back'])
    expect(then.part('x2', 'd')).toBe('untouched')
  })

  it('after its turn is done reverses the rollout, beginning with its machine', () => {
    const then = given('a', 'b', 'c').running('r1').published('r2').when(deploy('r2')).until('b done')
    then
      .and((world) => world.machine('a').crash('r2'))
      .on('a', { fates: { r2: 'fails' } })
      .settled()
    expect(then.lines().filter((line) => /reversed|back|reverted/.test(line))).toEqual([
      'x2 reversed: instance x2-a-1 exited with status 1 after it was ready',
      'a back',
      'c back',
      'b back',
      'x2 reverted',
    ])
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'], c: ['r1 ready active'] })
  })

  it('while the old instance still drains puts it back into traffic: it was not stopped yet', () => {
    const then = given('a').running('r1').published('r2').on('a', { neverDrains: true }).when(deploy('r2'))
    then
      .until('a drain x1-a-1')
      .and((world) => world.machine('a').crash('r2'))
      .on('a', { fates: { r2: 'fails' } })
    expect(then.settled().lines().slice(-6)).toEqual([
      'x2-a-1 failed',
      'a failed',
      'x2 reversed: instance x2-a-1 exited with status 1',
      'a back',
      'a switch +x1-a-1 -x2-a-1',
      'a drain x2-a-1',
    ])
    then.on('a', { neverDrains: false }).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'] })
  })

  it('includes an instance that is never ready, after its time and the grace for its report', () => {
    const then = given('a')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
      .settled()
    then.passing(39_000)
    expect(then.lines().at(-1)).toBe('a start *x2-a-1')
    expect(then.passing(1_000).lines().slice(0, 2)).toEqual([
      'a failed',
      'x2 reversed: instance x2-a-1 was not ready in time',
    ])
    expect(then.settled().lines().at(-1)).toBe('x2 reverted')
  })

  it.each([
    [
      'a standing problem of the machine is no reason',
      { problems: ['HAProxy may open 20000 files'] },
      'instance x2-a-1 was not ready in time',
    ],
    [
      'a machine that could not write down its orders reports that',
      { supervisorStuck: true, problems: ['HAProxy may open 20000 files', 'disk: ENOSPC: no space left on device'] },
      'machine a did not begin to start the instance in time (disk: ENOSPC: no space left on device)',
    ],
  ])('of an instance that is late gives the true reason: %s', (_what, about, reason) => {
    const then = given('a')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' }, ...about })
      .when(deploy('r2'))
    expect(then.settled().passing(39_000).lines().at(-1)).toBe('a start *x2-a-1')
    expect(then.passing(1_000).lines().slice(0, 2)).toEqual(['a failed', `x2 reversed: ${reason}`])
  })

  it('of a switch that is late names the problem of the balancer, and no other problem', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    const problems = ['HAProxy may open 20000 files', 'balancer: no new worker of HAProxy took over']
    then.on('a', { balancerStuck: true, problems }).settled().passing(9_000).lines()
    expect(then.passing(1_000).lines()[1]).toBe(
      'x2 reversed: the balancer of machine a did not apply the change within 10 s (balancer: no new worker of HAProxy took over)',
    )
  })

  it('of a first release leaves nothing running', () => {
    const then = given('a', 'b')
      .published('r1')
      .on('b', { fates: { r1: 'fails' } })
      .when(deploy('r1'))
      .settled()
    expect(then.lines().at(-1)).toBe('x1 reverted')
    expect(then.runs()).toEqual({ a: [], b: [] })
    expect(then.world.machine('a').desire?.routes).toEqual([])
  })

  it('of a release whose predecessor does not start again keeps the serving instances: failed there, and still reverted', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a done')
    then
      .on('a', { fates: { r1: 'fails' } })
      .on('b', { fates: { r2: 'fails' } })
      .settled()
    expect(then.lines().at(-1)).toBe('x2 reverted')
    expect(then.part('x2', 'a')).toBe('failed')
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r1 ready active'] })
    // The machine is left alone until the next rollout, which is not "nothing to do".
    expect(then.passing(60_000).lines()).toEqual([])
    expect(then.on('a', { fates: {} }).when(deploy('r1')).settled().lines().at(-1)).toBe('x3 completed')
  })

  it('where nothing serves at all still puts the old release back', () => {
    const then = given('a').running('r1', replace).published('r2', replace)
    then.when(deploy('r2', { allowOutage: true })).until('a start *x2-a-1')
    then.on('a', { fates: { r1: 'fails', r2: 'fails' } }).settled()
    expect(then.lines().at(-1)).toBe('x2 reverted')
    expect(then.runs()).toEqual({ a: ['r1 failed active'] })
    expect(then.on('a', { fates: {} }).settled().lines()).toEqual(['x2-a-2 recovered'])
  })
})

describe('an abort', () => {
  it.each([
    [
      'while fetching',
      (then: ReturnType<typeof given>) => then.on('b', { slowFetch: true }).when(deploy('r2')).settled(),
    ],
    ['while preparing', (then) => then.on('a', { prepareFate: 'hangs' }).when(deploy('r2')).until('prepare on a')],
    ['while starting', (then) => then.when(deploy('r2')).until('a start *x2-a-1')],
    ['while switching', (then) => then.when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')],
    ['while draining', (then) => then.when(deploy('r2')).until('a drain x1-a-1')],
    ['while stopping', (then) => then.when(deploy('r2')).until('a stop x1-a-1')],
    ['between machines', (then) => then.when(deploy('r2')).until('b forward')],
    ['at the last step', (then) => then.when(deploy('r2')).until('b stop x1-b-1')],
  ] as [string, (then: ReturnType<typeof given>) => ReturnType<typeof given>][])('%s goes back', (_, begin) => {
    const then = begin(given('a', 'b').running('r1').published('r2', prepare)).when(abort('x2'))
    expect(then.decision.type).toBe('accepted')
    then.on('b', { slowFetch: false }).settled()
    expect(then.lines().at(-1)).toBe('x2 aborted')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('of a first release leaves nothing running', () => {
    const then = given('a', 'b').published('r1').when(deploy('r1')).until('b start *x1-b-1').when(abort('x1')).settled()
    expect(then.runs()).toEqual({ a: [], b: [] })
  })

  it('is refused once the rollout goes back or has ended, and changes nothing', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a stop x1-a-1').when(abort('x2'))
    then.when(abort('x2'))
    expect(then.decision).toMatchObject({ type: 'refused', code: 'E_ROLLOUT_OVER' })
    then.settled().lines()
    then.when(abort('x2'))
    expect(then.decision).toMatchObject({ type: 'refused', code: 'E_ROLLOUT_OVER' })
    expect(then.lines()).toEqual([])
  })
})

describe('the other machines of a rollout', () => {
  it('go back first where the old release serves, then where it does not', () => {
    const then = given('a', 'b')
      .running('r1', { machines: ['a'] })
      .published('r2', { machines: ['b'], instances: 2 })
    then
      .on('a', { neverDrains: true })
      .when(deploy('r2'))
      .until('a drain x1-a-1')
      .and((world) => {
        const one = world.machine('b').running.get('shop-x2-b-1')
        Object.assign(one ?? {}, { state: 'failed', unstable: true })
      })
    then.on('b', { fates: { r2: 'fails' } }).settled()
    expect(then.lines().filter((line) => /back|reverted/.test(line))).toEqual(['a back', 'b back', 'x2 reverted'])
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: [] })
  })
})

describe('a rollout of another service', () => {
  it('proceeds meanwhile', () => {
    const then = given('a', 'b').running('r1').running('q1', { service: 'blog' }).published('r2')
    then
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
      .settled()
    then
      .published('q2', { service: 'blog' })
      .when(deploy('q2', { service: 'blog' }))
      .settled()
    expect(then.lines().at(-1)).toBe('x4 completed')
    expect(then.runs('blog')).toEqual({ a: ['q2 ready active'], b: ['q2 ready active'] })
  })
})
