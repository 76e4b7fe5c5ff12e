import { describe, expect, it } from 'vitest'
import { given } from '../decider/testing/given.ts'
import type { OpenAccess } from './openAccess.ts'
import { targetPort } from './openAccess.ts'
import { accessWords } from './words.ts'

const open =
  (over: Partial<OpenAccess> = {}) =>
  (): OpenAccess => ({
    ...{ type: 'OpenAccess', access: 'x', kind: 'shell', service: 'shop', instance: null, command: null, port: null },
    ...over,
  })
const end = { how: 'exited', code: 3, signal: null, reason: '' } as const
const close = () => ({ type: 'CloseAccess', access: 'x', end }) as const

describe('an access to an instance', () => {
  it('is open until its end, which tells how long it was', () => {
    const then = given('a', 'b').running('r1').when(open())
    const [instance] = Object.keys(then.world.state.instances).sort()
    const place = { access: 'x', kind: 'shell', service: 'shop', instance, machine: 'a' }
    expect(then.decision).toMatchObject({ events: [{ type: 'AccessStarted', data: place }] })
    expect(then.world.state.accesses).toMatchObject({ x: place })
    then.world.now += 61_000
    then.when(close)
    expect(then.decision).toMatchObject({
      events: [{ type: 'AccessEnded', data: { ...place, ...end, lastedMs: 61_000 } }],
    })
    expect(then.world.state.accesses).toEqual({})
    expect(then.when(close).decision).toEqual({ type: 'nothing' })
  })

  it('is refused where nothing of the service runs, or no such service is', () => {
    const then = given('a').running('r1')
    expect(then.when(open({ service: 'blog' })).decision).toMatchObject({
      code: 'E_NO_SUCH_SERVICE',
      next: 'services: shop',
    })
    expect(then.when(open({ instance: 'gone' })).decision).toMatchObject({ code: 'E_INSTANCE_STOPPED' })
  })

  it('is refused on a machine that is lost, or whose agent is too old', () => {
    const then = given('a').on('a', { abilities: [] }).running('r1')
    expect(then.when(open()).decision).toMatchObject({ code: 'E_NO_ABILITY', subject: 'a' })
    then.world.append({ type: 'MachineLost', data: { machine: 'a', silentMs: 10_000 } })
    expect(then.when(open()).decision).toMatchObject({ code: 'E_MACHINE_LOST' })
  })

  it('is refused when a hundred are open', () => {
    const then = given('a').running('r1')
    for (let index = 0; index < 100; index++) then.when(open({ access: `x${index}` }))
    expect(Object.keys(then.world.state.accesses)).toHaveLength(100)
    expect(then.when(open()).decision).toMatchObject({ code: 'E_TOO_MANY_ACCESSES' })
  })

  it('by a forward leads to the own port of an instance, or to one that it opened itself', () => {
    const then = given('a')
      .running('r1')
      .when(open({ kind: 'forward', port: 80 }))
    expect(then.decision).toMatchObject({ events: [{ data: { instance: null, machine: null, port: 80 } }] })
    const [instance] = Object.values(then.world.state.instances)
    if (!instance) throw new Error('nothing runs')
    expect(targetPort(then.world.state, { ...instance, port: 18_001 }, 80)).toBe(18_001)
    expect(targetPort(then.world.state, { ...instance, port: 18_001 }, 9_229)).toBe(9_229)
    expect(targetPort(then.world.state, { ...instance, port: null }, 80)).toBeNull()
  })

  it('reads well in the log', () => {
    const place = { access: 'x', kind: 'exec', service: 'shop', instance: 'shop-1', machine: 'a' } as const
    const began = accessWords.AccessStarted({ ...place, command: 'psql shop', port: null })
    expect(`${began.subject} ${began.text}`).toBe('shop-1 has a command open: psql shop')
    const over = accessWords.AccessEnded({ ...place, ...end, lastedMs: 61_000 })
    expect(`${over.subject} ${over.text}`).toBe('shop-1 has a command open no more, after 61 s: exit status 3')
  })
})
