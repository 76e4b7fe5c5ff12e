import { describe, expect, it } from 'vitest'
import type { Decision } from '../decision/refuse.ts'
import {
  abort,
  deploy,
  drain,
  given,
  ready,
  remove,
  restart,
  rollback,
  start,
  stop,
  type Request,
} from '../decider/testing/given.ts'

type Given = ReturnType<typeof given>
const replace = { rollout: { strategy: 'replace', drainMs: 30_000 } } as const

describe('a refusal changes nothing and names the next step', () => {
  const refusals: [string, string, () => Given, Request][] = [
    [
      'E_ROLLOUT_IN_PROGRESS',
      'a second rollout of the service; it names the one in progress',
      () => given('a').running('r1').published('r2').when(deploy('r2')),
      deploy('r1'),
    ],
    ['E_NO_SUCH_ROLLOUT', 'the abort of a rollout that never existed', () => given('a'), abort('x9')],
    ['E_ROLLOUT_OVER', 'the abort of a rollout that has ended', () => given('a').running('r1'), abort('x1')],
    ['E_NO_SUCH_SERVICE', 'the restart of no service', () => given('a'), restart()],
    ['E_NO_SUCH_SERVICE', 'the stop of no service', () => given('a').running('r1'), stop({ service: 'blog' })],
    ['E_RELEASE_GONE', 'a release that is not in the store', () => given('a').running('r1'), deploy('r9')],
    ['E_RELEASE_GONE', 'a rollback to a release that is gone', () => given('a').running('r1'), rollback('r9')],
    [
      'E_RELEASE_GONE',
      'a release of another service',
      () => given('a').running('r1').published('q1', { service: 'blog' }),
      deploy('q1'),
    ],
    ['E_NO_OTHER_RELEASE', 'a rollback with no other release', () => given('a').running('r1'), rollback()],
    [
      'E_NO_SUCH_MACHINE',
      'a release for an unknown machine',
      () => given('a').published('r1', { machines: ['a', 'z'] }),
      deploy('r1'),
    ],
    ['E_NO_SUCH_MACHINE', 'the drain of no machine', () => given('a'), drain('z')],
    ['E_NO_SUCH_MACHINE', 'the return of no machine', () => given('a'), ready('z')],
    ['E_NO_MACHINE_REACHABLE', 'a rollout before any machine joined', () => given().published('r1'), deploy('r1')],
    [
      'E_NO_MACHINE_REACHABLE',
      'a rollout with every machine lost',
      () => given('a').running('r1').published('r2').on('a', { alive: false }).passing(11_000),
      deploy('r2'),
    ],
    [
      'E_ROUTE_TAKEN',
      'a host and path of another service',
      () =>
        given('a')
          .running('r1', { routes: [{ host: 'x.example', path: '/' }] })
          .published('q1', { service: 'blog', routes: [{ host: 'x.example', path: '/' }] }),
      deploy('q1', { service: 'blog' }),
    ],
    [
      'E_ROUTE_TAKEN',
      'a port of another service, held by a rollout in progress',
      () =>
        given('a')
          .published('r1', { listen: 'tcp', routes: [{ port: 5672 }] })
          .when(deploy('r1'))
          .published('q1', { service: 'blog', listen: 'tcp', routes: [{ port: 5672 }] }),
      deploy('q1', { service: 'blog' }),
    ],
    [
      'E_OUTAGE',
      'replacing the only instance',
      () => given('a').running('r1', replace).published('r2', replace),
      deploy('r2'),
    ],
    [
      'E_OUTAGE',
      'replacing all instances by a single one',
      () =>
        given('a')
          .running('r1', { ...replace, instances: 3 })
          .published('r2', replace),
      deploy('r2'),
    ],
    ['E_MACHINE_BUSY', 'a second drain', () => given('a', 'b').on('b', { alive: false }).when(drain('a')), drain('b')],
    ['E_LAST_INSTANCE', 'the drain of the last instance', () => given('a').running('r1'), drain('a')],
  ]

  it.each(refusals)('%s: %s', (code, _, begin, request) => {
    const then = begin()
    const before = then.world.state
    then.lines()
    then.when(request)
    expect(then.decision).toMatchObject({ type: 'refused', code })
    const { message, subject, next } = then.decision as Extract<Decision, { type: 'refused' }> // just checked
    for (const text of [message, subject, next]) expect(text).not.toBe('')
    expect(then.world.state).toBe(before)
  })

  it('names the obstacle', () => {
    const busy = given('a').running('r1').published('r2').when(deploy('r2')).when(deploy('r1')).decision
    expect(busy).toMatchObject({ message: expect.stringContaining('x2'), next: expect.stringContaining('abort x2') })
    const taken = given('a').running('r1', { routes: [{ host: null, path: '/' }] })
    taken.published('q1', { service: 'blog', routes: [{ host: null, path: '/' }] })
    expect(taken.when(deploy('q1', { service: 'blog' })).decision).toMatchObject({
      message: expect.stringContaining('shop'),
    })
  })

  it('accepts an outage that the operator allowed', () => {
    const then = given('a')
      .running('r1', replace)
      .published('r2', replace)
      .when(deploy('r2', { allowOutage: true }))
    expect(then.settled().lines().at(-1)).toBe('x2 completed')
  })
})

describe('nothing to do', () => {
  it.each([
    ['deploying the running release', deploy('r1')],
    ['rolling back to the running release', rollback('r1')],
    ['starting a running service', start()],
  ])('is %s', (_, request) => {
    expect(given('a').running('r1').when(request).decision).toEqual({ type: 'nothing' })
  })

  it('is stopping a stopped service, and publishing a known release', () => {
    const then = given('a').running('r1').when(stop()).settled()
    expect(then.when(stop()).decision).toEqual({ type: 'nothing' })
    expect(then.published('r1').lines()).toEqual([])
  })

  it('is not redeploying while a machine is behind', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then
      .when(deploy('r2'))
      .settled()
      .on('b', { alive: true, fates: { r2: 'fails' } })
      .settled()
      .on('b', { fates: {} })
    expect(then.when(deploy('r2')).decision.type).toBe('accepted')
    expect(then.settled().runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })
})

describe('rollback', () => {
  it('goes to the newest other release that completed, so two rollbacks return', () => {
    const then = given('a')
      .running('r1')
      .running('r2')
      .published('r3')
      .on('a', { fates: { r3: 'fails' } })
    then.when(deploy('r3')).settled()
    expect(then.when(rollback()).settled().lines()[0]).toBe('x4 started: rollback r1 on a')
    expect(then.when(rollback()).settled().lines()[0]).toBe('x5 started: rollback r2 on a')
    expect(then.runs()).toEqual({ a: ['r2 ready active'] })
  })

  it('goes to the named release, also to one that never ran', () => {
    const then = given('a').running('r1').running('r2').published('r3')
    expect(then.when(rollback('r3')).settled().lines()[0]).toBe('x3 started: rollback r3 on a')
  })
})

describe('stop and start', () => {
  it('stop drains and stops everywhere and keeps the routes; start brings the service back', () => {
    const then = given('a', 'b').running('r1').when(stop()).settled()
    expect(then.lines().slice(0, 6)).toEqual([
      'x2 started: stop r1 on a b',
      'a forward',
      'a unforward',
      'a switch -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
    ])
    expect(then.runs()).toEqual({ a: [], b: [] })
    then.published('q1', { service: 'blog', routes: [{ host: null, path: '/' }] })
    expect(then.when(deploy('q1', { service: 'blog' })).decision).toMatchObject({ code: 'E_ROUTE_TAKEN' })
    expect(then.when(start()).settled().lines().at(-1)).toBe('x4 completed')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('a deploy starts a stopped service; when it fails, the service is stopped again', () => {
    const then = given('a')
      .running('r1')
      .when(stop())
      .settled()
      .published('r2')
      .on('a', { fates: { r2: 'fails' } })
    expect(then.when(deploy('r2')).settled().lines().at(-1)).toBe('x3 reverted')
    expect(then.runs()).toEqual({ a: [] })
    expect(then.on('a', { fates: {} }).when(deploy('r2')).settled().lines().at(-1)).toBe('x4 completed')
  })

  it('an aborted stop brings back the stopped instances', () => {
    const then = given('a', 'b').running('r1').when(stop()).until('b forward').when(abort('x2')).settled()
    expect(then.lines().at(-1)).toBe('x2 aborted')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('a machine that was lost meanwhile stops the service when it returns', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).passing(11_000).when(stop()).settled()
    expect(then.on('b', { alive: true }).settled().runs()).toEqual({ a: [], b: [] })
    expect(then.part('x2', 'b')).toBe('done')
  })
})

describe('remove', () => {
  it('stops the service everywhere, forgets it and frees its routes; its data stays', () => {
    const then = given('a', 'b').running('r1').when(remove()).settled()
    expect(then.lines().slice(-2)).toEqual(['x2 completed', 'shop removed'])
    expect(then.world.state.services).toEqual({})
    expect(then.world.machine('a').removedData).toEqual([])
    then.running('q1', { service: 'blog', routes: [{ host: null, path: '/' }] })
    expect(then.runs('blog')).toEqual({ a: ['q1 ready active'], b: ['q1 ready active'] })
  })

  it('with its data, of a service that is removed already, shows how to remove the data, and the other services', () => {
    const then = given('a').running('r1').when(remove()).settled()
    then.running('q1', { service: 'blog', routes: [{ host: 'blog.test', path: '/' }] })
    expect(then.when(remove({ removeData: true })).decision).toMatchObject({
      ...{ type: 'refused', code: 'E_NO_SUCH_SERVICE' },
      next: expect.stringMatching(/^services: blog; .*tandem push DIR, then tandem remove shop --data$/),
    })
  })

  it('with its data removes the data too, on a lost machine when it returns and has no instance left', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).passing(11_000)
    then.when(remove({ removeData: true })).settled()
    expect(then.lines()).toContain('data of shop gone from a')
    expect(then.world.state.removedData).toEqual({ shop: ['b'] })
    then.on('b', { alive: true, hangsAtStop: true }).settled()
    expect(then.world.machine('b').desire?.instances).toEqual([])
    expect(then.world.machine('b').desire?.removedData).toEqual([])
    then.on('b', { hangsAtStop: false }).settled()
    expect(then.lines().at(-1)).toBe('data of shop gone from b')
    expect(then.world.state.removedData).toEqual({})
    expect(then.runs()).toEqual({ a: [], b: [] })
  })

  it('removes a service whose first release never completed', () => {
    const then = given('a')
      .published('r1')
      .on('a', { fates: { r1: 'fails' } })
      .when(deploy('r1'))
      .settled()
    expect(then.when(remove()).settled().lines()).toEqual(['x2 started: remove r1 on', 'x2 completed', 'shop removed'])
  })
})

describe('releases that the store may collect', () => {
  it('exclude all in use: running ones, both ends of a rollout, the previous completed release', () => {
    const then = given('a').running('r1').running('r2').running('r3').published('r4').published('r5').when(deploy('r4'))
    expect(then.world.machine('a').desire?.keep).toBeDefined()
    then.until('a start *x4-a-1').when(() => ({ type: 'CollectReleases', releases: ['r1', 'r2', 'r3', 'r4', 'r5'] }))
    expect(Object.keys(then.world.state.releases)).toEqual(['r2', 'r3', 'r4'])
    expect(then.when(() => ({ type: 'CollectReleases', releases: ['r3'] })).decision).toEqual({ type: 'nothing' })
  })
})
