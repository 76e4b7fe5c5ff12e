import { describe, expect, it } from 'vitest'
import { observe } from '../decision/observed.ts'
import { deploy, given } from '../decider/testing/given.ts'

const replace = { rollout: { strategy: 'replace', drainMs: 30_000 } } as const

describe('a drain', () => {
  const draining = () => {
    const then = given('a').running('r1').published('r2').on('a', { workAtRetire: 3, neverDrains: true })
    return then.when(deploy('r2')).until('a drain x1-a-1')
  }

  it('ends when no work is left, as reports show', () => {
    const then = draining().settled()
    expect(then.lines().at(-1)).toBe('a drain x1-a-1')
    const before = then.world.now
    then.on('a', { neverDrains: false }).settled()
    expect(then.lines().at(-1)).toBe('x2 completed')
    expect(then.world.now).toBe(before)
  })

  it('ends at its deadline, and the long connections are stopped with it', () => {
    const then = draining().passing(29_000)
    expect(then.lines().at(-1)).toBe('a drain x1-a-1')
    expect(then.passing(1_000).lines()).toEqual(['a stop x1-a-1'])
  })
})

describe('an acknowledgement', () => {
  it('of a switch that does not come in 10 s is a failure going forward', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.on('a', { balancerStuck: true }).settled().passing(9_000)
    expect(then.lines().at(-1)).toBe('a switch +x2-a-1 -x1-a-1')
    expect(then.passing(1_000).lines().slice(0, 2)).toEqual([
      'a failed',
      'x2 reversed: the balancer of machine a did not apply the change within 10 s',
    ])
  })

  it('that a route could not be opened fails the rollout of its service at once, and no other rollout', () => {
    const unserved = [{ service: 'shop', reason: 'cannot listen on TCP port 5672' }]
    const then = given('a', 'b').running('r1').published('r2').on('a', { unserved }).when(deploy('r2'))
    expect(then.settled().lines()).toContain('x2 reversed: machine a cannot listen on TCP port 5672')
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
    expect([then.part('x2', 'a'), then.part('x2', 'b')]).toEqual(['reverted', 'untouched'])
    const other = given('a')
      .running('r1')
      .published('r2')
      .on('a', { unserved: [{ service: 'other', reason: 'no' }] })
    expect(other.when(deploy('r2')).settled().lines().at(-1)).toBe('x2 completed')
  })

  it('going back is not waited for longer: the machine is named and passed over, and corrected once it answers', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.on('a', { balancerStuck: true }).settled().passing(21_000).settled()
    expect(then.lines().at(-1)).toBe('x2 reverted')
    expect(then.part('x2', 'a')).toBe('failed')
    expect(then.passing(60_000).lines()).toEqual([])
    then.on('a', { balancerStuck: false }).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
    expect(then.part('x2', 'a')).toBe('reverted')
  })

  it('of unforwarding that does not come is a failure going forward, before any instance left the traffic', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).on('b', { balancerStuck: true })
    then.when(deploy('r2')).settled().passing(11_000)
    expect(then.lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'a forward',
      'a unforward',
      'a failed',
      'x2 reversed: machine b did not stop forwarding within 10 s',
      'a back',
      'a done',
      'x2 reverted',
    ])
  })

  it('of unforwarding is skipped going back', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).when(deploy('r2')).until('b forward')
    then.on('b', { fates: { r2: 'fails' } }).until('b back')
    then.until('b switch +x2-b-2').on('b', { balancerStuck: true }).settled().passing(30_000).settled()
    expect(then.world.state.rollouts['x2']?.outcome).toBe('reverted')
    then.on('b', { balancerStuck: false }).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('of a stop that does not come is a failure going forward', () => {
    const then = given('a').running('r1').published('r2').on('a', { hangsAtStop: true }).when(deploy('r2')).settled()
    then.passing(20_000)
    expect(then.lines()).toContain('x2 reversed: machine a could not stop x1-a-1')
  })
})

describe('reports', () => {
  it('older than or the same as a known one change nothing, also after the controller restarted', () => {
    const then = given('a').running('r1')
    const machine = then.world.machine('a')
    const old = machine.report()
    const next = machine.report()
    expect(then.world.hear('a', next)).toBe(true)
    expect(then.world.hear('a', next)).toBe(false)
    expect(then.world.hear('a', old)).toBe(false)
    machine.crash('r1')
    expect(then.world.hear('a')).toBe(true)
    const { mark } = then.world.state.machines['a'] ?? {}
    then.world.lead()
    expect(then.world.hear('a', old)).toBe(false)
    expect(mark).toEqual({ boot: 1, seq: machine.seq })
  })

  it('of a higher boot count are accepted with any number', () => {
    const then = given('a').running('r1')
    then.world.machine('a').restart()
    const report = then.world.machine('a').report()
    expect(report.seq).toBe(1)
    expect(observe(then.world.state, then.world.observed, report, 0)).not.toBeNull()
  })

  it('that repeat known facts yield no event; a crash loop is one event when it begins and one when it ends', () => {
    const then = given('a')
      .running('r1')
      .on('a', { fates: { r1: 'fails' } })
    then
      .and((world) => world.machine('a').crash('r1'))
      .settled()
      .passing(60_000)
    expect(then.lines().slice(-1)).toEqual(['x1-a-1 failed'])
    expect(then.on('a', { fates: {} }).settled().passing(60_000).lines()).toEqual(['x1-a-1 recovered'])
  })

  it('end a wait only at the position of the request, or later', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')
    const machine = then.world.machine('a')
    // The machine reports, but has not received the desired state that switches.
    machine.work()
    then.world.hear('a')
    expect(then.lines().at(-1)).toBe('a switch +x2-a-1 -x1-a-1')
    expect(then.settled().lines()[0]).toBe('a drain x1-a-1')
  })
})

describe('an agent that has just started and knows little yet', () => {
  it('does not end a drain: its balancer has not applied anything, so its count is meaningless', () => {
    const then = given('a').running('r1').published('r2').on('a', { neverDrains: true }).when(deploy('r2'))
    then.until('a drain x1-a-1').and((world) => world.machine('a').restart())
    then.world.hear('a')
    expect(then.lines()).not.toContain('a stop x1-a-1')
    expect(then.settled().lines()).toContain('a stop x1-a-1')
  })

  it('does not end a stop: an instance that it does not name may still run', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a stop x1-a-1')
    const report = then.world.machine('a').report()
    const silent = { ...report, instances: report.instances.filter(({ id }) => id !== 'shop-x1-a-1') }
    then.world.hear('a', { ...silent, applied: { supervisor: 0, balancer: 0, address: 0 } })
    expect(then.lines()).not.toContain('a done')
    expect(then.settled().lines().at(-1)).toBe('x2 completed')
  })

  it('keeps the old serving instance until the new one serves again', () => {
    const two = { ...replace, instances: 2 }
    const then = given('a', 'b').running('r1', two).published('r2', two).when(deploy('r2')).until('a switch +x2-a-1')
    then
      .and((world) => world.machine('a').restart())
      .on('a', { fates: { r2: 'hangs' } })
      .settled()
    expect(then.lines().slice(-1)).toEqual(['a start'])
    expect(then.runs()['a']).toEqual(['r1 ready active', 'r2 failed active'])
    expect(then.on('a', { fates: {} }).settled().lines()[1]).toBe('a switch -x1-a-2')
  })
})

describe('after a start, a clock jump or a stall', () => {
  it('a controller that restarts continues where it was, with deadlines that count again', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
    then.settled().passing(35_000)
    then
      .and((world) => world.lead())
      .settled()
      .passing(39_000)
    expect(then.lines().at(-1)).toBe('LeadershipTaken')
    expect(then.passing(1_000).settled().lines().at(-1)).toBe('x2 reverted')
    expect(then.world.state.terms.map(({ term }) => term)).toEqual([1, 2])
  })

  it('resumes a rollout at every one of its events', () => {
    const whole = given('a', 'b').running('r1').published('r2').when(deploy('r2')).settled()
    const begin = whole.world.log.findIndex(({ type, data }) => type === 'RolloutStarted' && data.rollout === 'x2')
    for (let at = begin; at < whole.world.log.length; at++) {
      const then = given('a', 'b').running('r1').published('r2').when(deploy('r2'))
      then.world.settle(({ position }) => position === whole.world.log[at]?.position)
      then.world.lead()
      then.settled()
      expect(then.world.state.rollouts['x2']?.outcome).toBe('completed')
      expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
    }
  })

  it('nothing is decided by time before each machine has reported, or 10 s have passed', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false })
    then.world.now += 3_600_000
    then.world.lead()
    expect(then.world.deadline()).toBe(then.world.now + 10_000)
    then.passing(9_000)
    expect(then.lines().at(-1)).toBe('LeadershipTaken')
    expect(then.passing(1_000).lines()).toEqual(['b lost'])
  })

  it('a jump of an hour makes no machine lost and lets no deadline pass', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
    then.settled().lines()
    then.world.now += 3_600_000
    then.world.send({ type: 'RestartClock', reason: 'it jumped' })
    then.world.send({ type: 'TimePassed' })
    expect(then.lines()).toEqual(['ClockRestarted'])
    expect(then.passing(39_000).lines()).toEqual([])
    expect(then.passing(1_000).lines()[0]).toBe('a failed')
  })

  it('a clock set back by an hour delays no deadline', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('a', { fates: { r2: 'hangs' } })
      .when(deploy('r2'))
    then.settled().lines()
    then.world.now -= 3_600_000
    then.world.send({ type: 'RestartClock', reason: 'it jumped' })
    expect(then.world.deadline()).toBe(then.world.now + 10_000)
    expect(then.passing(40_000).lines()).toContain('a failed')
    then.on('b', { alive: false }).passing(10_000)
    expect(then.lines()).toContain('b lost')
  })
})

describe('the next deadline', () => {
  it('is infinite without machines, and one silence ahead with one', () => {
    expect(given().world.deadline()).toBe(Number.POSITIVE_INFINITY)
    const then = given('a')
    expect(then.world.deadline()).toBe(then.world.now + 10_000)
  })
})
