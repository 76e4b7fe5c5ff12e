import { describe, expect, it } from 'vitest'
import {
  deploy,
  drain,
  forcedResume,
  given,
  halt,
  patch,
  ready,
  reboot,
  resume,
  start,
  stop,
} from '../decider/testing/given.ts'

const part = (machine: string, interrupted = true): string[] => [
  `${machine} drain`,
  `${machine} drain started`,
  `${machine} drain stepped`,
  `${machine} drained`,
  `${machine} work`,
  ...(interrupted ? [`x1-${machine}-1 interrupted`] : []),
  `${machine} check`,
  `${machine} readied`,
  `${machine} return`,
  `${machine} done`,
]
/** Machine a is drained to be patched, and b dies before a has given up its work. */
const otherFailsMeanwhile = () =>
  given('a', 'b')
    .running('r1')
    .and((world) => world.machine('a').running.forEach((one) => (one.work = 1)))
    .on('b', { alive: false })
    .when(patch(['a', 'b']))
    .passing(60_000)
const withoutRecoveries = (lines: string[]): string[] => lines.filter((line) => !line.endsWith('recovered'))

describe('maintenance', () => {
  it('takes machines out of traffic one after the other, works on each, and puts it back', () => {
    const then = given('a', 'b')
      .running('r1')
      .when(patch(['a', 'b']))
      .settled()
    const lines = withoutRecoveries(then.lines())
    expect(lines.filter((line) => !line.endsWith('interrupted'))).toEqual([
      'maintenance started',
      ...part('a', false),
      ...part('b', false),
      'maintenance finished',
    ])
    expect(then.world.state.maintenance).toMatchObject({ state: 'completed', done: ['a', 'b'] })
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('waits until every instance that was ready is ready again before it puts a machine back', () => {
    const then = given('a', 'b').running('r1').when(reboot('a')).until('a work')
    then.on('a', { fates: { r1: 'hangs' } }).until('a check')
    expect(then.passing(20_000).lines()).not.toContain('a readied')
    expect(then.on('a', { fates: {} }).settled().world.state.maintenance?.state).toBe('completed')
  })

  it('stops at the first machine that fails, leaves it unchanged, and touches no other', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'fails' })
      .when(patch(['a', 'b']))
      .settled()
    expect(then.lines().at(-1)).toBe('maintenance stopped: on machine a, patch.sh exited with status 1')
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
    expect(then.world.state.machines['b']?.traffic).toBe('ready')
  })

  it('is resumed at the machine where it stopped, as a new attempt', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'fails' })
      .when(patch(['a', 'b']))
      .settled()
    then.on('a', { maintenanceFate: 'ready' }).when(resume).settled()
    expect(then.world.state.maintenance).toMatchObject({ state: 'completed', attempt: 2, done: ['a', 'b'] })
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('is resumed although an operator has put the machine back meanwhile: the machine is drained again', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'fails' })
      .when(patch(['a']))
      .settled()
    then.when(ready('a')).settled()
    const lines = then.on('a', { maintenanceFate: 'ready' }).when(resume).settled().lines()
    expect(lines.slice(0, 2)).toEqual(['maintenance resumed', 'a drain started'])
    expect(then.world.state.maintenance?.state).toBe('completed')
  })

  it('does not repeat finished work: resumed while it checks, it only checks again', () => {
    const then = given('a', 'b').running('r1').when(reboot('a')).until('a work')
    then
      .on('a', { fates: { r1: 'hangs' } })
      .until('a check')
      .passing(60_000)
    expect(then.lines().at(-1)).toMatch(/^maintenance stopped: instance shop-x1-a-1 was ready before/)
    const lines = then.on('a', { fates: {} }).when(resume).settled().lines()
    expect(lines).not.toContain('a work')
    expect(then.world.state.maintenance?.state).toBe('completed')
  })

  it('stops when a machine does not come back, and reports it', () => {
    const then = given('a', 'b').running('r1').when(reboot('a')).until('a work').on('a', { alive: false })
    expect(
      then
        .passing(16 * 60_000, 10_000)
        .lines()
        .at(-1),
    ).toBe('maintenance stopped: machine a did not come back in time')
  })

  it('refuses a machine with the last ready instance of a service, unless forced', () => {
    const then = given('a', 'b').running('r1', { machines: ['a'] })
    expect(then.when(patch(['b', 'a'])).decision).toMatchObject({ code: 'E_LAST_INSTANCE', subject: 'a' })
    then.when(patch(['b', 'a'], { force: true })).settled()
    expect(then.world.state.maintenance?.state).toBe('completed')
  })

  it('stops before a machine that has become the only one with a service', () => {
    const then = given('a', 'b')
      .running('r1')
      .when(patch(['a', 'b']))
      .until('a check')
      .on('a', { alive: false })
    then.passing(60_000)
    then.when(resume).settled()
    expect(then.world.state.machines['b']?.traffic).toBe('ready')
    expect(then.world.state.maintenance?.done).toEqual([])
  })

  it('refuses machines that cannot begin', () => {
    const lost = given('a', 'b').running('r1').on('b', { alive: false }).passing(11_000)
    expect(lost.when(patch(['a', 'b'])).decision).toMatchObject({ code: 'E_MACHINE_LOST', subject: 'b' })
    const busy = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'hangs' })
      .when(patch(['a']))
      .settled()
    expect(busy.when(reboot('b')).decision).toMatchObject({ code: 'E_MACHINE_BUSY' })
    expect(busy.when(drain('b')).decision).toMatchObject({ code: 'E_MACHINE_BUSY' })
    expect(busy.when(resume).decision).toMatchObject({ code: 'E_NO_MAINTENANCE' })
    expect(given('a').when(resume).decision).toMatchObject({ code: 'E_NO_MAINTENANCE' })
    expect(given('a').when(reboot('c')).decision).toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
  })

  it('requested again is followed while it runs, and continues where it stopped', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'hangs' })
      .when(patch(['a', 'b']))
      .settled()
    expect(then.when(patch(['a', 'b'])).decision).toEqual({ type: 'nothing' })
    expect(then.when(patch(['b', 'a'])).decision).toMatchObject({ code: 'E_MACHINE_BUSY' })
    then.when(halt).settled().on('a', { maintenanceFate: 'ready' })
    expect(then.when(patch(['a', 'b'])).lines()[0]).toBe('maintenance resumed')
    expect(then.settled().world.state.maintenance).toMatchObject({ state: 'completed', done: ['a', 'b'] })
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('with a repaired script takes over the machine that the previous one left out of traffic, and puts it back', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'fails' })
      .when(patch(['a', 'b']))
      .settled()
    const script = { name: 'patch.sh', text: 'repaired', withinMs: 60_000 }
    then
      .on('a', { maintenanceFate: 'ready' })
      .when(patch(['a', 'b'], { script }))
      .settled()
    expect(then.world.state.maintenance).toMatchObject({ state: 'completed', attempt: 1 })
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('does not put back a machine that an operator has taken out since', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'fails' })
      .when(patch(['a', 'b']))
      .settled()
    then.when(ready('a')).settled().when(drain('a')).settled().on('a', { maintenanceFate: 'ready' })
    then.when(reboot('a')).settled()
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
  })

  it('goes no further once an operator stops it', () => {
    const then = given('a', 'b')
      .running('r1')
      .on('a', { maintenanceFate: 'hangs' })
      .when(patch(['a', 'b']))
      .until('a work')
    expect(then.when(halt).lines()).toEqual(['maintenance stopped: stopped by hand'])
    expect(then.when(halt).decision).toEqual({ type: 'nothing' })
    then.when(ready('a')).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('puts a machine back rather than work on it when the other one fails during its drain', () => {
    const then = otherFailsMeanwhile()
    const lines = then.lines()
    expect(lines).not.toContain('a work')
    expect(lines.at(-1)).toBe(
      'maintenance stopped: machine a is back in traffic: it has the last ready instance of shop now',
    )
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('that stopped before an outage continues from there once the outage is allowed', () => {
    const then = otherFailsMeanwhile()
    expect(then.when(resume).decision).toMatchObject({ code: 'E_LAST_INSTANCE', subject: 'a' })
    then.when(patch(['a', 'b'], { force: true })).passing(120_000)
    expect(then.world.state.maintenance).toMatchObject({ done: ['a'], attempt: 2, reason: 'machine b is lost' })
  })

  it('that stopped between two machines continues with the next once the outage is allowed', () => {
    const then = given('a', 'b')
      .running('r1', { listen: 'none' })
      .when(patch(['a', 'b']))
      .until('a return')
      .on('a', { fates: { r1: 'hangs' } })
      .and((world) => world.machine('a').running.forEach((one) => (one.state = 'starting')))
      .settled()
    const reason = 'machine b has the last ready instance of shop'
    expect(then.when(resume).settled().world.state.maintenance).toMatchObject({ done: ['a'], reason })
    then.when(forcedResume).settled()
    expect(then.world.state.maintenance).toMatchObject({ state: 'completed', done: ['a', 'b'] })
  })

  it('is resumed where it only checks finished work, even if another instance failed meanwhile', () => {
    const then = given('a', 'b')
      .running('r1', { service: 'worker', listen: 'none' })
      .running('r2')
      .when(reboot('a'))
      .until('a work')
    then.on('a', { fates: { r2: 'hangs' } }).passing(600_000, 10_000)
    expect(then.world.state.maintenance).toMatchObject({ state: 'stopped', at: { step: 'check' } })
    then
      .and((world) =>
        world.machine('b').running.forEach((one) => {
          if (one.desired.release === 'r1') one.state = 'failed'
        }),
      )
      .settled()
    expect(then.when(resume).lines()[0]).toBe('maintenance resumed')
  })

  it('does not stop the only worker, unless forced', () => {
    const then = given('a', 'b').running('r1', { listen: 'none', machines: ['a'] })
    expect(then.when(reboot('a')).decision).toMatchObject({ code: 'E_LAST_INSTANCE', subject: 'a' })
    expect(then.when(patch(['a'], { restart: false })).decision.type).toBe('accepted')
    expect(then.settled().when(reboot('a', true)).decision.type).toBe('accepted')
  })

  it('takes over a machine that an earlier one left drained also when an operator stopped that one early', () => {
    const then = given('a', 'b')
      .running('r1')
      .when(patch(['a', 'b']))
      .when(halt)
      .settled()
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
    const script = { name: 'other.sh', text: 'other', withinMs: 60_000 }
    then.when(patch(['a', 'b'], { script })).settled()
    expect(then.world.state.maintenance?.state).toBe('completed')
    expect(then.world.state.machines['a']?.traffic).toBe('ready')
  })

  it('does not repeat the work on a machine that came back after it had been given up', () => {
    const then = given('a', 'b').running('r1').when(reboot('a')).until('a work').on('a', { alive: false })
    then.passing(16 * 60_000, 10_000)
    expect(then.world.state.maintenance?.state).toBe('stopped')
    const id = then.world.state.maintenance?.id ?? ''
    then.on('a', { alive: true, maintenance: { id, attempt: 1, ok: true, reason: '' } }).passing(5_000)
    const lines = then.when(resume).settled().lines()
    expect(then.world.machine('a').maintenance?.attempt).toBe(1)
    expect(lines).not.toContain('a work')
    expect(then.world.state.maintenance?.state).toBe('completed')
  })

  it('a machine that was out of traffic before stays out', () => {
    const then = given('a', 'b').running('r1').when(drain('a')).settled().when(reboot('a')).settled()
    expect(then.world.state.maintenance?.state).toBe('completed')
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
  })
})

describe('a rollout meanwhile', () => {
  it('ends its current turn, holds before the next, and continues afterwards', () => {
    const then = given('a', 'b', 'c').running('r1').published('r2').when(deploy('r2')).until('a start *x2-a-1')
    then.when(reboot('c')).settled()
    const lines = then.lines()
    expect(lines.indexOf('a done')).toBeLessThan(lines.indexOf('c drain'))
    expect(lines.indexOf('maintenance finished')).toBeLessThan(lines.indexOf('b forward'))
    expect(lines.at(-1)).toBe('x2 completed')
  })

  it('that is requested waits, and then proceeds', () => {
    const then = given('a', 'b').running('r1').published('r2').on('a', { maintenanceFate: 'hangs' })
    then.when(reboot('a')).until('a work')
    then.when(deploy('r2')).settled()
    expect(then.lines()).not.toContain('a forward')
    then.on('a', { maintenanceFate: 'ready' }).settled()
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })
})

describe('a machine drained with --stop', () => {
  it('runs nothing once its work is done, and everything again when it is put back', () => {
    const then = given('a', 'b')
      .running('r1')
      .when(drain('a', false, true))
      .settled()
    expect(then.runs()).toEqual({ a: [], b: ['r1 ready active'] })
    then.when(ready('a')).settled()
    expect(then.runs()).toEqual({ a: ['r1 ready active'], b: ['r1 ready active'] })
  })

  it('gets nothing from a rollout meanwhile, and catches up when it is put back', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .when(drain('a', false, true))
      .settled()
    then.when(deploy('r2')).settled()
    expect(then.runs()).toEqual({ a: [], b: ['r2 ready active'] })
    then.when(ready('a')).settled()
    expect(then.runs()).toEqual({ a: ['r2 ready active'], b: ['r2 ready active'] })
  })

  it('stops and starts its instances where a service was stopped and started meanwhile', () => {
    const then = given('a', 'b')
      .running('r1')
      .when(drain('a', false, true))
      .settled()
    then.when(stop()).settled().when(start()).settled().when(ready('a')).settled()
    expect(then.runs()['a']).toHaveLength(1)
  })

  it('is refused where it has the only worker, and where it is drained already it only stops', () => {
    const worker = given('a', 'b').running('r1', { listen: 'none', machines: ['a'] })
    expect(worker.when(drain('a')).decision.type).toBe('accepted')
    worker.settled()
    expect(worker.when(drain('a', false, true)).decision).toMatchObject({ code: 'E_LAST_INSTANCE' })
    worker.when(drain('a', true, true)).settled()
    expect(worker.runs()['a']).toEqual([])
  })
})
