import { describe, expect, it } from 'vitest'
import { abort, deploy, drain, given, ready, stop } from '../decider/testing/given.ts'

const replace = { rollout: { strategy: 'replace', drainMs: 30_000 } } as const

describe('a machine whose agent is upgraded', () => {
  const about = { upgrade: 'u', part: 'a', direction: 'forward' } as const

  it('holds rollouts at their next step, and drains are refused; then everything continues', () => {
    const then = given('a', 'b').running('r1').published('r2')
    const parts = ['a', 'b'].map((part) => ({ part, release: null, version: '1.0.0' }))
    then.world.append({ type: 'UpgradeStarted', data: { upgrade: 'u', version: '1.1.0', release: 'new', parts } })
    then.world.append({ type: 'UpgradeTurnStarted', data: { ...about, release: null, boot: 1, ready: [] } })
    expect(then.when(deploy('r2')).settled().lines()).toEqual(['x2 started: deploy r2 on a b'])
    const refusal = then.world.send({ type: 'DrainMachine', machine: 'b', force: false })
    expect(refusal).toMatchObject({
      code: 'E_MACHINE_BUSY',
      message: 'upgrade u of Tandem itself is in progress; one machine operation at a time',
    })
    then.world.append({ type: 'UpgradeTurnFinished', data: { ...about, outcome: 'done', reason: null } })
    then.world.append({ type: 'UpgradeFinished', data: { upgrade: 'u', state: 'completed', reason: null } })
    expect(then.passing(1_000).settled().lines().at(-1)).toBe('x2 completed')
  })
})

describe('a machine that the cluster file no longer names', () => {
  const apply = (...names: string[]) => {
    const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
    const machines = Object.fromEntries(names.map((name) => [name, { address: `10.0.0.${name}`, drivers }]))
    const entry = { http: 80, https: 443, certificates: null, trustedProxies: [] }
    const about = { cluster: 'test', controllers: ['c:7480'], entry, addresses: [], advert: 100, drivers }
    return { type: 'ApplyCluster', cluster: { ...about, machines }, force: false } as const
  }

  it('is removed in the middle of a rollout only when it has never reported', () => {
    const then = given('a', 'b').running('r1').published('r2')
    then.world.send(apply('a', 'b', 'c'))
    then.when(deploy('r2'))
    expect(then.world.send(apply('a'))).toMatchObject({ code: 'E_ROLLOUT_IN_PROGRESS' })
    expect(then.world.send(apply('a', 'b'))).toMatchObject({
      events: [{ type: 'MachineRemoved', data: { machine: 'c' } }, { type: 'ClusterApplied' }],
    })
    expect(then.settled().lines().at(-1)).toBe('x2 completed')
  })

  it('is removed when the same file is applied again, in case it came back meanwhile', () => {
    const then = given('a', 'b').running('r1')
    then.world.send(apply('a'))
    expect(then.world.send(apply('a'))).toEqual({ type: 'nothing' })
    then.world.hear('b')
    expect(Object.keys(then.world.state.machines)).toEqual(['a', 'b'])
    then.world.send(apply('a'))
    expect(Object.keys(then.world.state.machines)).toEqual(['a'])
  })
})

describe('a lost machine', () => {
  it('is a machine that has not reported for 10 s', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).passing(9_000)
    expect(then.lines().at(-1)).toBe('x1 completed')
    expect(then.passing(1_000).lines()).toEqual(['b lost'])
  })

  it('is passed over: a pair deploys with one machine lost', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    expect(then.when(deploy('r2')).settled().lines()).toEqual([
      'x2 started: deploy r2 on a b',
      'b passed over',
      'a forward',
      'a start *x2-a-1',
      'a switch +x2-a-1 -x1-a-1',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
      'x2 completed',
    ])
    expect(then.part('x2', 'b')).toBe('lost')
  })

  it('catches up when it returns, by the same steps: nothing stops before its replacement is ready', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then.when(deploy('r2')).settled().on('b', { alive: true }).until('b returned').settled()
    expect(then.lines()).toEqual([
      'b returned',
      'b catchUp',
      'b start *x2-b-1',
      'b switch +x2-b-1 -x1-b-1',
      'b drain x1-b-1',
      'b stop x1-b-1',
      'b done',
    ])
    expect(then.part('x2', 'b')).toBe('done')
  })

  it('lost in its turn is passed over, and catches up from where it was', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')
    then.on('a', { alive: false }).passing(11_000).settled()
    expect(then.lines()).toContain('a lost')
    expect(then.world.state.rollouts['x2']?.outcome).toBe('completed')
    expect(then.part('x2', 'a')).toBe('lost')
    expect(then.on('a', { alive: true }).settled().lines()).toEqual([
      'a returned',
      'a catchUp',
      'a drain x1-a-1',
      'a stop x1-a-1',
      'a done',
    ])
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('that dies after the request to switch is passed over, although the acknowledgement is due first', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.on('a', { balancerStuck: true }).until('a switch +x2-a-1 -x1-a-1').passing(3_000)
    then.on('a', { alive: false }).passing(11_000).settled()
    expect(then.lines()).toContain('a lost')
    expect(then.part('x2', 'a')).toBe('lost')
    expect(then.world.state.rollouts['x2']?.outcome).toBe('completed')
  })

  it('lost in its turn of a rollout that is reverted goes back when it returns', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')
    then
      .on('a', { alive: false })
      .on('b', { fates: { r2: 'fails' } })
      .passing(11_000)
      .settled()
    expect(then.world.state.rollouts['x2']?.outcome).toBe('reverted')
    then.on('a', { alive: true }).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
    expect(then.part('x2', 'a')).toBe('reverted')
  })

  it('whose new release fails goes back alone, is behind, and is not retried endlessly', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then
      .when(deploy('r2'))
      .settled()
      .on('b', { alive: true, fates: { r2: 'fails' } })
      .until('b returned')
      .settled()
    expect(then.lines()).toEqual([
      'b returned',
      'b catchUp',
      'b start *x2-b-1',
      'x2-b-1 failed',
      'b failed',
      'b back',
      'b drain x2-b-1',
      'b stop x2-b-1',
      'b done',
    ])
    expect(then.part('x2', 'b')).toBe('behind')
    expect(then.world.state.services['shop']?.behind).toEqual(['b'])
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r1 ready active'] })
    expect(then.passing(120_000).lines()).toEqual([])
  })

  it('that is behind is tried again by the next rollout, and returns to its previous release where that fails', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then
      .when(deploy('r2'))
      .settled()
      .on('b', { alive: true, fates: { r2: 'fails', r3: 'fails' } })
      .settled()
    then.published('r3').when(deploy('r3')).settled()
    expect(then.lines().at(-1)).toBe('x3 reverted')
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r1 ready active'] })
    expect(then.part('x3', 'b')).toBe('behind')
    then.on('b', { fates: {} }).when(deploy('r2')).settled()
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
    expect(then.world.state.services['shop']?.behind).toEqual([])
  })

  it('that returns gets another try', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then
      .when(deploy('r2'))
      .settled()
      .on('b', { alive: true, fates: { r2: 'fails' } })
      .settled()
    then.on('b', { alive: false, fates: {} }).passing(11_000).on('b', { alive: true }).settled()
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('does not catch up before it has the release', () => {
    const then = given('a', 'b').running('r1').published('r2').on('b', { alive: false }).passing(11_000)
    then.when(deploy('r2')).settled().on('b', { alive: true, slowFetch: true }).settled().passing(120_000)
    expect(then.lines().at(-1)).toBe('b returned')
    expect(then.on('b', { slowFetch: false }).settled().lines().at(-1)).toBe('b done')
  })

  it('under replace catches up only once another machine serves', () => {
    const then = given('a', 'b', 'c').running('r1', replace).published('r2', replace)
    then.on('c', { alive: false }).passing(11_000).when(deploy('r2')).settled()
    for (const name of ['a', 'b']) {
      then.and((world) => world.machine(name).crash('r2')).on(name, { fates: { r2: 'fails' } })
    }
    then.on('c', { alive: true }).settled()
    expect(then.runs()).toEqual({ a: ['r2 failed active'], b: ['r2 failed active'], c: ['r1 ready active'] })
    then.on('a', { fates: {} }).settled()
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 failed active'], c: ['r2 ready active'] })
  })
})

describe('all machines lost', () => {
  it('during a rollout ends it, and both go back when they return', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')
    then.on('a', { alive: false }).on('b', { alive: false }).passing(11_000)
    expect(then.lines().slice(-2)).toEqual(['x2 reversed: every machine is lost', 'x2 reverted'])
    then.on('a', { alive: true }).on('b', { alive: true }).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })
})

describe('a machine that restarts', () => {
  it('within a rollout is waited for: the release is not at fault', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('b start *x2-b-1')
    then
      .and((world) => world.machine('a').restart())
      .on('a', { fates: { r2: 'hangs' } })
      .until('x2-a-1 interrupted')
    expect(then.on('a', { fates: {} }).settled().lines()).not.toContain('x2 reverted')
    expect(then.world.state.rollouts['x2']?.outcome).toBe('completed')
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('with its disk lost runs its instances again', () => {
    const then = given('a', 'b')
      .running('r1')
      .and((world) => world.machine('a').restart(true))
      .settled()
    expect(then.lines().slice(-2)).toEqual(['x1-a-1 interrupted', 'x1-a-1 recovered'])
  })

  it('in its turn does not lose the old instance before the new one is ready', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a switch +x2-a-1 -x1-a-1')
    then.and((world) => world.machine('a').restart()).settled()
    expect(then.lines().at(-1)).toBe('x2 completed')
  })
})

describe('a machine that joins', () => {
  it('gets the instances of its services', () => {
    const then = given('a')
      .running('r1')
      .running('q1', { service: 'blog', machines: ['a'] })
      .and((w) => w.join('b'))
    then.settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
    expect(then.runs('blog')).toEqual({ a: ['q1 ready active'], b: [] })
  })

  it('during a rollout waits for its end', () => {
    const then = given('a').running('r1').published('r2').when(deploy('r2')).until('a drain x1-a-1')
    then.and((world) => world.join('b')).settled()
    const lines = then.lines()
    expect(lines.indexOf('b catchUp')).toBeGreaterThan(lines.indexOf('x2 completed'))
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })
})

describe('draining a machine', () => {
  it('first stops the others from forwarding to it, then gives up its own work, and ends when none is left', () => {
    const then = given('a', 'b').running('r1').on('b', { balancerStuck: true }).when(drain('a')).settled()
    expect(then.lines()).toEqual(['a drain started'])
    expect(then.world.machine('b').desire?.routes[0]?.forwardTo).toEqual([])
    expect(then.world.machine('a').desire?.drained).toBe(false)
    then.on('b', { balancerStuck: false }).settled()
    expect(then.lines()).toEqual(['a drain stepped', 'a drained'])
    expect(then.world.machine('a').desire?.drained).toBe(true)
    expect(then.when(ready('a')).settled().lines()).toEqual(['a readied'])
    expect(then.world.machine('b').desire?.routes[0]?.forwardTo).toEqual(['a'])
  })

  it('ends at its deadline when work never ends', () => {
    const then = given('a', 'b')
      .running('r1')
      .and((world) => {
        const one = world.machine('a').running.get('shop-x1-a-1')
        Object.assign(one ?? {}, { work: 3 })
      })
    then.when(drain('a')).settled().passing(29_000)
    expect(then.lines()).toEqual(['a drain started', 'a drain stepped'])
    expect(then.passing(1_000).lines()).toEqual(['a drained'])
    expect(then.world.log.at(-1)?.data).toMatchObject({ work: 3 })
  })

  it('refuses to take the last ready instance of a service, and takes it when forced', () => {
    const then = given('a', 'b')
      .running('r1', { machines: ['a'] })
      .when(drain('a'))
    expect(then.decision).toMatchObject({ type: 'refused', code: 'E_LAST_INSTANCE', subject: 'a' })
    expect(then.lines()).toEqual([])
    expect(given('a').running('r1').when(stop()).settled().when(drain('a')).decision.type).toBe('accepted')
    const forced = given('a', 'b')
      .running('r1', { machines: ['a'], listen: 'none' })
      .when(drain('a', true))
    expect(forced.decision.type).toBe('accepted')
  })

  it('is one at a time, and has nothing to do when it is done already', () => {
    const then = given('a', 'b', 'c').running('r1').on('c', { balancerStuck: true }).when(drain('a')).when(drain('b'))
    expect(then.decision).toMatchObject({ type: 'refused', code: 'E_MACHINE_BUSY' })
    expect(then.when(drain('a')).decision.type).toBe('nothing')
    expect(then.when(ready('b')).decision.type).toBe('nothing')
  })

  it('holds rollouts at their next step meanwhile', () => {
    const then = given('a', 'b', 'c').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.on('c', { balancerStuck: true }).when(drain('b')).settled()
    expect(then.lines()).toEqual(['b drain started'])
    expect(then.world.deadline()).toBeGreaterThan(then.world.now)
    then.on('c', { balancerStuck: false }).settled()
    expect(then.lines().at(-1)).toBe('x2 completed')
  })

  it('of a lost machine ends at once', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).passing(11_000).when(drain('b')).settled()
    expect(then.lines()).toEqual(['b drain started', 'b drained'])
  })

  it('of the last other machine makes a rollout under replace refuse, which changes nothing', () => {
    const then = given('a', 'b').running('r1', replace).published('r2', replace).when(drain('b')).settled()
    expect(then.when(deploy('r2')).decision).toMatchObject({ type: 'refused', code: 'E_OUTAGE' })
  })

  it('does not keep an abort from being accepted', () => {
    const then = given('a', 'b').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.on('a', { balancerStuck: true }).when(drain('b')).when(abort('x2')).on('a', { balancerStuck: false }).settled()
    expect(then.lines().at(-1)).toBe('x2 aborted')
  })
})

describe('a drain while the other machine has died unnoticed', () => {
  it('ends with the machine back in traffic, and no service interrupted', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).when(drain('a'))
    expect(then.decision.type).toBe('accepted')
    const lines = then.passing(30_000).lines()
    expect(lines).toContain('a readied')
    expect(lines).not.toContain('a drain stepped')
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('of a machine out of traffic, only to stop its instances, continues too', () => {
    const then = given('a', 'b').running('r1', { machines: ['b'] })
    then
      .when(drain('b', true))
      .settled()
      .when(drain('b', false, true))
      .settled()
    expect(then.world.state.machines['b']?.traffic).toBe('drained')
    expect(then.runs()['b']).toEqual([])
  })

  it('continues when an operator allowed it to interrupt services', () => {
    const then = given('a', 'b').running('r1').on('b', { alive: false }).when(drain('a', true)).passing(60_000)
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
  })
})
