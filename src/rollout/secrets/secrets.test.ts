import { describe, expect, it } from 'vitest'
import {
  deploy,
  drain,
  given,
  remove,
  restart,
  rollback,
  start,
  stop,
  type Request,
} from '../../decider/testing/given.ts'
import { World } from '../../decider/testing/world.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { nextVersion } from '../../secrets/state.ts'
import { placeToRun } from '../placeToRun.ts'
import { secrets as feature } from './feature.ts'
import { secretGenerations } from './desired.ts'

const secrets = { db: { from: 'db' }, MAIL: { from: '@shared/smtp#password', as: 'env' as const } }
const store =
  (path: string, fields = ['password']): Request =>
  () => ({ type: 'StoreSecret', path, fields, bytes: 7, reason: null, of: null, cas: null })
const grant: Request = () => ({ type: 'GrantSecret', path: '@shared/smtp', service: 'shop' })

const stored = () => given('a', 'b').when(store('shop/db')).when(store('@shared/smtp')).when(grant)
type Then = ReturnType<typeof stored>

const runningWith = ({ world: { state } }: Then): Record<string, number> | undefined =>
  state.generations[state.services['shop']?.current?.generation ?? '']?.pins?.secrets
const warned = ({ world: { state } }: Then): string[] =>
  feature.warnings?.(state, { service: 'shop', kind: 'restart', release: 'r1' }, {}) ?? []

describe('a rollout of a release with secrets', () => {
  it('keeps the newest versions of that moment; a later one waits for the next rollout', () => {
    const then = stored().running('r1', { secrets })
    expect(runningWith(then)).toEqual({ 'shop/db': 1, '@shared/smtp': 1 })
    then.when(store('shop/db')).settled()
    expect(runningWith(then)).toEqual({ 'shop/db': 1, '@shared/smtp': 1 })
    then.when(restart()).settled()
    expect(runningWith(then)).toEqual({ 'shop/db': 2, '@shared/smtp': 1 })
  })

  it('is refused for a secret that is missing, not granted, or has another field', () => {
    const then = given('a').published('r1', { secrets })
    expect(then.when(deploy('r1')).decision).toMatchObject({ code: 'E_NO_SUCH_SECRET', subject: '@shared/smtp' })
    then.when(store('@shared/smtp', ['user', 'token']))
    expect(then.when(deploy('r1')).decision).toMatchObject({ code: 'E_SECRET_NOT_GRANTED' })
    then.when(grant)
    expect(then.when(deploy('r1')).decision).toMatchObject({
      message: 'shop names @shared/smtp#password, and @shared/smtp has no such field; it has user, token',
    })
    then.when(store('@shared/smtp', ['password']))
    expect(then.when(deploy('r1')).decision).toMatchObject({
      ...{ subject: 'shop/db', next: 'tandem secrets put shop/db value=-' },
    })
    then.when(store('shop/db', ['password', 'user']))
    expect(then.when(deploy('r1')).decision).toMatchObject({ next: 'name one of them, such as shop/db#password' })
    then.when(store('shop/db'))
    expect(then.when(deploy('r1')).decision).toMatchObject({ type: 'accepted' })
  })

  it('is not refused when it stops the service', () => {
    const then = stored()
      .running('r1', { secrets })
      .when(() => ({ type: 'RevokeSecret', path: '@shared/smtp', service: 'shop' }))
    expect(then.when(restart()).decision).toMatchObject({ code: 'E_SECRET_NOT_GRANTED' })
    expect(then.when(stop()).decision).toMatchObject({ type: 'accepted' })
  })

  it('goes back to the former versions, which later rollouts use until the secret is stored again', () => {
    const then = stored()
      .running('r1', { secrets })
      .when(store('shop/db'))
      .on('a', { fates: { r1: 'fails' } })
    then.when(restart()).settled().on('a', { fates: {} })
    expect(runningWith(then)).toEqual({ 'shop/db': 1, '@shared/smtp': 1 })
    expect(warned(then)).toEqual(['shop gets version 1 of shop/db: a rollout with version 2 was reverted'])
    then.when(restart()).settled()
    expect(runningWith(then)).toMatchObject({ 'shop/db': 1 })
    then.when(store('shop/db'))
    expect(warned(then)).toEqual([])
    then.when(restart()).settled()
    expect(runningWith(then)).toMatchObject({ 'shop/db': 3 })
  })

  it('takes the release back with the secrets of today', () => {
    const then = stored().running('r1', { secrets }).running('r2', { secrets }).when(store('shop/db'))
    then.when(rollback()).settled()
    expect([then.world.state.services['shop']?.current?.release, runningWith(then)]).toEqual([
      ...['r1', { 'shop/db': 2, '@shared/smtp': 1 }],
    ])
  })

  it('goes on with a deleted secret; a version in use is not destroyed', () => {
    const then = stored()
      .running('r1', { secrets })
      .when(() => ({ type: 'DestroySecret', path: 'shop/db', versions: [1], reason: null }))
    expect(then.decision).toMatchObject({ code: 'E_SECRET_IN_USE' })
    then.when(() => ({ type: 'DeleteSecret', path: 'shop/db', reason: null })).when(restart())
    expect(then.settled().decision).toMatchObject({ type: 'accepted' })
    expect(runningWith(then)).toMatchObject({ 'shop/db': 1 })
  })

  it('reaches the machines that run the service, before its first turn there', () => {
    const then = stored()
      .published('r1', { secrets, machines: ['a'] })
      .when(deploy('r1'))
    const { state } = then.world
    const [{ generation } = { generation: '' }] = secretGenerations(state, 'a')
    expect(secretGenerations(state, 'a')).toEqual([
      { service: 'shop', generation, release: 'r1', versions: { 'shop/db': 1, '@shared/smtp': 1 } },
    ])
    expect(secretGenerations(state, 'b')).toEqual([])
    // A stopped service can be started without the controller's root key.
    then.settled().when(stop()).settled()
    expect(secretGenerations(then.world.state, 'a')).toHaveLength(1)
    then
      .when(start())
      .settled()
      .when(drain('a', true, true))
      .settled()
    expect(then.world.state.machines['a']?.traffic).toBe('drained')
    expect(secretGenerations(then.world.state, 'a')).toHaveLength(1)
    then.when(remove()).settled()
    expect(secretGenerations(then.world.state, 'a')).toEqual([])
  })
})

describe('secrets after the log was recovered', () => {
  it('are those with which the machines run, and a rejected version stays rejected', () => {
    const then = stored()
      .running('r1', { secrets })
      .when(store('shop/db'))
      .on('a', { fates: { r1: 'fails' } })
    then.when(restart()).settled().on('a', { fates: {} })
    const before = runningWith(then)
    then.when(() => ({ type: 'RecoverLog', id: 'again', version: '0', without: [] })).settled()
    expect(then.decision).toMatchObject({ type: 'accepted' })
    expect(runningWith(then)).toEqual(before)
    expect(then.world.state.services['shop']?.rejected).toEqual({ secrets: { 'shop/db': 2 } })
  })

  it('keep their numbers: one with which a machine runs is not given out again', () => {
    const then = stored().running('r1', { secrets }).when(store('shop/db')).when(restart()).settled()
    // As in a log from before the second version.
    const { world } = then
    const before = world.state.secrets['shop/db']
    if (!before) throw new Error('the secret is there')
    const restored = { ...before, last: 1, versions: before.versions.slice(0, 1) }
    expect(nextVersion({ ...world.state, secrets: { 'shop/db': restored } }, 'shop/db')).toBe(3)
  })
})

describe('a service with secrets on servers', () => {
  const worker = { listen: 'none', jail: { user: 'web' } } as const
  const servers = (): World => {
    const world = new World(['a', 'b'], undefined, { cluster: 'production', laptop: false })
    for (const service of ['shop', 'blog'])
      world.publish(`${service}1`, aDefinition({ ...worker, routes: [], service }))
    return world
  }

  it('waits for a key of each machine', () => {
    const world = servers()
    world.publish('r1', aDefinition({ secrets }))
    expect(world.send(deploy('r1')(world))).toMatchObject({ code: 'E_NO_HELPER_KEY', subject: 'a' })
  })

  it('shares its user with no other service', () => {
    const world = servers()
    world.send(deploy('shop1')(world))
    world.settle()
    expect(world.send(deploy('blog1', { service: 'blog' })(world))).toMatchObject({ type: 'accepted' })
    world.settle()
    world.publish('r1', aDefinition({ ...worker, routes: [], secrets }))
    expect(world.send(deploy('r1')(world))).toMatchObject({
      code: 'E_SHARED_USER',
      message: 'shop and blog would run as the same user web, and shop has secrets',
    })
  })
})

describe('a one-off command', () => {
  it('names the generation with whose secrets it runs, also while the service is stopped', () => {
    const then = stored().running('r1', { secrets, machines: ['a'] })
    const generation = then.world.state.services['shop']?.current?.generation
    expect(placeToRun(then.world.state, 'shop', null)).toMatchObject({ machine: 'a', generation })
    then.when(stop()).settled()
    expect(placeToRun(then.world.state, 'shop', null)).toMatchObject({ machine: 'a', generation })
    expect(placeToRun(then.world.state, 'shop', 'b')).toMatchObject({
      ...{ code: 'E_NO_SUCH_MACHINE', next: 'machines of shop: a' },
    })
  })
})
