import { assert, constantFrom, nat, option, property, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from '../events/event.ts'
import { advanceUpgrade, upgradeDeadline } from './advanceUpgrade.ts'
import { desiredProgram, keptPrograms } from './desiredProgram.ts'
import { limits } from './limits.ts'
import type { ObservedPart } from './observedPart.ts'
import { areNeighbours, startUpgrade } from './startUpgrade.ts'
import { evolve } from '../decider/evolve.ts'
import { initialWorld, type World as State } from '../decider/rooms.ts'
import { controllerPart } from './state.ts'

const release = 'a'.repeat(64)
type Trouble = 'none' | 'unfetchable' | 'crashes' | 'unhealthy'

/** Parts that follow requests, each with its own trouble, and the decisions that cause the requests. */
class World {
  state: State = initialWorld({ cluster: 'test', laptop: false })
  parts: (ObservedPart & { trouble: Trouble })[]
  said: string[] = []
  isBusy = false
  now = 0
  #position = 0

  constructor(names: string[], troubles: Partial<Record<string, Trouble>> = {}) {
    this.parts = [...names, controllerPart].map((part) => ({
      ...{
        part,
        version: '1.0.0',
        isLost: false,
        hasReported: true,
        boot: 1,
        applied: 0,
        trouble: troubles[part] ?? 'none',
      },
      program: { release: null, prepared: null, isTrying: false, failed: null },
      instances: part === controllerPart ? [] : [{ id: `${part}-1`, isReady: true }],
    }))
  }

  get around() {
    return { parts: this.parts, isBusy: this.isBusy, now: this.now }
  }

  part(name: string): World['parts'][number] {
    const found = this.parts.find(({ part }) => part === name)
    if (!found) throw new Error(name)
    return found
  }

  start(version = '1.1.0'): string {
    const decision = startUpgrade(this.state, this.around, { upgrade: 'u', version, release })
    if (decision.type === 'accepted') this.take(decision.events)
    return decision.type === 'refused' ? decision.code : decision.type
  }

  take(events: Event[]): void {
    for (const event of events) {
      this.state = evolve(this.state, {
        ...event,
        position: ++this.#position,
        at: new Date(this.now).toISOString(),
      })
      if (event.type === 'UpgradeTurnStarted') this.said.push(`${event.data.part} ${event.data.direction}`)
      if (event.type === 'UpgradeTurnFinished') this.said.push(`${event.data.part} ${event.data.outcome}`)
      if (event.type === 'UpgradeReversed') this.said.push('reversed')
      if (event.type === 'UpgradeFinished') this.said.push(event.data.state)
    }
  }

  decide(): void {
    for (let events = advanceUpgrade(this.state, this.around); events.length > 0;) {
      this.take(events)
      events = advanceUpgrade(this.state, this.around)
    }
  }

  /** Each part performs one request, like a machine and its trial. */
  obey(only: (part: string) => boolean = () => true): void {
    for (const one of this.parts.filter(({ part, isLost }) => only(part) && !isLost)) {
      const desired = desiredProgram(this.state, one.part)
      const { program } = one
      if (!desired || !program || program.failed?.key === desired.key) continue
      const fail = (reason: string): void => void (program.failed = { key: desired.key, reason })
      if (!desired.isDue) {
        if (one.trouble === 'unfetchable') fail('no room')
        else program.prepared = desired.key
      } else if (program.release !== desired.release) {
        one.boot++
        one.applied = this.#position
        if (desired.release !== null && one.trouble === 'crashes') fail('the new program exits at its start')
        else program.release = desired.release
        if (one.trouble === 'unhealthy')
          one.instances = one.instances.map(({ id }) => ({ id, isReady: desired.release === null }))
      }
    }
  }

  run(): this {
    for (let round = 0; round < 200 && this.state.upgrade?.stage !== 'over'; round++) {
      this.decide()
      this.obey()
      if (this.now < upgradeDeadline(this.state) && round % 10 === 9) this.now += limits.turnMs
    }
    return this
  }
}

describe('an upgrade', () => {
  it('fetches on every machine, then switches one part after the other, the controller last', () => {
    const world = new World(['a', 'b'])
    expect(world.start()).toBe('accepted')
    expect(desiredProgram(world.state, 'b')).toEqual({ key: 'u/forward', release, version: '1.1.0', isDue: false })
    world.obey((part) => part !== 'b')
    world.decide()
    expect(world.said).toEqual([])
    expect(world.run().said).toEqual([
      'a forward',
      'a done',
      'b forward',
      'b done',
      '@controller forward',
      '@controller done',
      'completed',
    ])
    expect(world.start()).toBe('nothing')
    expect(keptPrograms(world.state)).toEqual([release])
  })

  it.each([
    ['unfetchable', ['reversed', 'reverted']],
    ['crashes', ['a forward', 'a done', 'b forward', 'b failed', 'reversed', 'a back', 'a done', 'reverted']],
    [
      'unhealthy',
      ['a forward', 'a done', 'b forward', 'b failed', 'reversed', 'b back', 'b done', 'a back', 'a done', 'reverted'],
    ],
  ] as const)('returns every part that runs the new version when a machine is %s', (trouble, said) => {
    const world = new World(['a', 'b'], { b: trouble })
    world.start()
    expect(world.run().said).toEqual(said)
    expect(world.parts.map(({ program }) => program?.release)).toEqual([null, null, null])
  })

  it('returns the machines after the controller returned', () => {
    const world = new World(['a'], { [controllerPart]: 'crashes' })
    world.start()
    expect(world.run().said.slice(2)).toEqual([
      '@controller forward',
      '@controller failed',
      'reversed',
      'a back',
      'a done',
      'reverted',
    ])
  })

  it('skips a lost machine, before and during the upgrade', () => {
    const world = new World(['a', 'b', 'c'])
    world.part('a').isLost = true
    world.start()
    world.obey()
    world.part('c').isLost = true
    expect(world.run().said).toEqual([
      'b forward',
      'b done',
      'c lost',
      '@controller forward',
      '@controller done',
      'completed',
    ])
  })

  it('returns a machine that was unreachable during the return and comes back with the new version', () => {
    const world = new World(['a', 'b'], { b: 'crashes' })
    world.part('b').isLost = false
    world.start()
    world.run()
    expect(world.said.at(-1)).toBe('reverted')
    const late = world.part('b').program
    if (!late) throw new Error('b has no program')
    Object.assign(late, { release: 'new', failed: null })
    world.obey((part) => part === 'b')
    expect(late.release).toBe(null)
  })

  it('does not begin a turn during another machine operation, and does not wait for a turn for ever', () => {
    const world = new World(['a'])
    world.start()
    world.obey()
    world.isBusy = true
    world.decide()
    expect(world.said).toEqual([])
    world.isBusy = false
    world.decide()
    world.now = limits.turnMs - 1
    world.decide()
    expect(world.said).toEqual(['a forward'])
    world.now = limits.turnMs
    world.decide()
    expect(world.said).toEqual(['a forward', 'a failed', 'reversed', 'reverted'])
  })

  it.each([
    { type: 'LeadershipTaken', data: { term: 2, id: 't2', version: '1.0.0' } },
    { type: 'ClockRestarted', data: { reason: 'the clock jumped' } },
  ] satisfies Event[])('restarts the time limit for fetching after $type', (restarted) => {
    const world = new World(['a'])
    world.start()
    world.now = 2 * limits.fetchMs
    world.take([restarted])
    world.decide()
    world.now += limits.fetchMs - 1
    world.decide()
    expect(world.said).toEqual([])
    world.now++
    world.decide()
    expect(world.said).toEqual(['reversed', 'reverted'])
    expect(world.state.upgrade).toMatchObject({ startedAt: 0, reason: 'a did not fetch the new version in time' })
  })

  it('trusts a part only once its trial has ended and the part has reported again', () => {
    const world = new World(['a'])
    world.start()
    world.obey()
    world.decide()
    const a = world.part('a')
    Object.assign(a.program ?? {}, { release, isTrying: true })
    a.applied = 99
    world.decide()
    a.boot = 2
    world.decide()
    expect(world.said).toEqual(['a forward'])
    Object.assign(a.program ?? {}, { isTrying: false })
    world.decide()
    expect(world.said).toContain('a done')
  })

  it('is refused where it cannot succeed, each with its reason', () => {
    const world = new World(['a'])
    expect(world.start('2.0.0')).toBe('E_NOT_UPGRADABLE')
    expect(world.start('1.2.0')).toBe('E_NOT_UPGRADABLE')
    world.isBusy = true
    expect(world.start()).toBe('E_MACHINE_BUSY')
    world.isBusy = false
    world.part('a').hasReported = false
    expect(world.start()).toBe('E_NOT_UPGRADABLE')
    world.part('a').hasReported = true
    const { program } = world.part('a')
    world.part('a').program = null
    expect(world.start()).toBe('E_NOT_UPGRADABLE')
    world.part('a').program = program
    expect(world.start()).toBe('accepted')
    expect(world.start()).toBe('E_UPGRADE_IN_PROGRESS')
  })

  it('ends after any trouble of the parts: all run the new version, or every reachable part has returned', () => {
    const trouble = constantFrom<Trouble>('none', 'none', 'unfetchable', 'crashes', 'unhealthy')
    const lost = option(tuple(constantFrom('a', 'b', 'c'), nat(12)))
    assert(
      property(tuple(trouble, trouble, trouble, trouble), lost, ([a, b, c, d], gone) => {
        const world = new World(['a', 'b', 'c'], { a, b, c, [controllerPart]: d })
        world.start()
        for (let round = 0; round < 12; round++) {
          if (gone?.[1] === round) world.part(gone[0]).isLost = true
          world.decide()
          world.obey()
        }
        world.run()
        expect(world.state.upgrade?.stage).toBe('over')
        const wanted = world.state.upgrade?.outcome === 'completed' ? release : null
        for (const one of world.parts)
          if (!one.isLost) expect([one.part, one.program?.release]).toEqual([one.part, wanted])
      }),
    )
  })
})

it.each([
  ['1.2.3', '1.3.0', true],
  ['1.3.0', '1.2.9-rc.1', true],
  ['1.2.0', '1.4.0', false],
  ['1.9.0', '2.0.0', false],
  ['', '1.0.0', false],
])('%s and %s work together: %s', (one, other, together) => {
  expect(areNeighbours(one, other)).toBe(together)
})
