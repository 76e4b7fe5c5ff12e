import { expect, it } from 'vitest'
import type { Event } from '../events/event.ts'
import { wordingOf } from './wordingOf.ts'

const read = (event: Event): string => {
  const { sign, subject, text, isChange } = wordingOf(event)
  return `${isChange ? '' : '  '}${sign}: ${subject} ${text}`
}

const mark = { boot: 1, seq: 1 }
const release = 'a'.repeat(64)

it('words the events of a failed rollout as people read them', () => {
  const rollout = { rollout: '4kf2m8xd', service: 'web-shop' }
  const instance = { instance: 'web-shop-4kf2m8xd-a-1', machine: 'a' }
  const started: Event = {
    type: 'RolloutStarted',
    data: {
      ...{ ...rollout, kind: 'deploy', release, previous: 'b'.repeat(64), routes: [], machines: ['a'] },
      ...{ allowOutage: false, removeData: false },
    },
  }
  const reason = 'exited with status 1'
  expect(
    [
      started,
      { type: 'InstanceFailed', data: { ...instance, reason, mark } } as const,
      {
        type: 'InstanceFailed',
        data: { ...instance, reason: 'the agent restarted', mark, interrupted: true },
      } as const,
      { type: 'RolloutReversed', data: { ...rollout, reason, ...instance, aborted: false } } as const,
      { type: 'RolloutFinished', data: { ...rollout, state: 'reverted', reason } } as const,
    ].map(read),
  ).toEqual([
    'running: web-shop rollout bbbbbbbbbbbb → aaaaaaaaaaaa started',
    'failed: web-shop on a failed: exited with status 1',
    '  warn: web-shop on a was interrupted: the agent restarted',
    'reverted: web-shop rollout goes back: exited with status 1',
    'reverted: web-shop rollout reverted: exited with status 1',
  ])
})

it('says where an event happened, also for a service and a machine with dashes, and for an adopted instance', () => {
  const at = (instance: string, machine: string): unknown => {
    const { service, subject } = wordingOf({ type: 'InstanceReady', data: { instance, machine, port: 1, mark } })
    return [service, subject]
  }
  expect(at('web-shop-4kf2m8xd-rack-1-b-12', 'rack-1-b')).toEqual(['web-shop', 'web-shop on rack-1-b'])
  expect(at('shop', 'a')).toEqual([null, 'shop on a'])
  expect(at('a-1', 'a')).toEqual([null, 'a-1 on a'])
})

it('words an address that moves apart from one that is taken first', () => {
  const address = { address: '10.0.0.50', machine: 'b', why: 'a restarts', mark }
  expect(read({ type: 'AddressTaken', data: { ...address, from: 'a' } })).toBe(
    'moved: 10.0.0.50 moved from a to b; a restarts',
  )
  expect(read({ type: 'AddressTaken', data: { ...address, from: null } })).toBe(
    'done: 10.0.0.50 is held by b: a restarts',
  )
})
