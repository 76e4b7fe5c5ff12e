import { describe, expect, it } from 'vitest'
import { deploy, given, restart, rollback, type Request } from '../../decider/testing/given.ts'
import { configsOn } from './desired.ts'
import { config as feature } from './feature.ts'

const config = {
  WORKERS: { type: 'integer' as const, default: '4' },
  GREETING: { required: true as const },
  DEBUG: { type: 'boolean' as const },
}
const set =
  (values: Record<string, string>, over: { unset?: string[]; cas?: number } = {}): Request =>
  () => ({ type: 'ChangeConfig', service: 'shop', set: values, unset: [], reason: null, cas: null, ...over })
const back =
  (version: number | null = null): Request =>
  () => ({ type: 'RollbackConfig', service: 'shop', version, reason: null })

const published = () => given('a', 'b').published('r1', { config })
const running = () =>
  published()
    .when(set({ GREETING: 'hello' }))
    .when(deploy('r1'))
    .settled()
type Then = ReturnType<typeof running>

const runsWith = ({ world: { state } }: Then) =>
  state.generations[state.services['shop']?.current?.generation ?? '']?.pins?.config
const warned = ({ world: { state } }: Then, release = 'r1'): string[] =>
  feature.warnings?.(state, { service: 'shop', kind: 'restart', release }, {}) ?? []

describe('the configuration of a service', () => {
  it('is set before the push that needs it, in values that fit', () => {
    expect(given('a').when(set({ WORKERS: '8' })).decision).toMatchObject({ code: 'E_NO_SUCH_SERVICE' })
    const then = published()
    expect(then.when(set({ WORKERS: 'many' })).decision).toMatchObject({
      ...{ code: 'E_CONFIG', message: 'WORKERS is an integer, not "many"' },
    })
    expect(then.when(set({ DEBUG: 'yes' })).decision).toMatchObject({ message: 'DEBUG is true or false, not "yes"' })
    expect(then.when(set({ WORKER: '8' })).decision).toMatchObject({
      ...{ code: 'E_NO_SUCH_SETTING', next: 'did you mean WORKERS? its settings: DEBUG, GREETING, WORKERS' },
    })
    expect(then.when(set({ WORKERS: '8' })).decision).toMatchObject({ type: 'accepted' })
    expect(then.when(set({ WORKERS: '8' })).decision).toEqual({ type: 'nothing' })
    expect(then.when(set({}, { unset: ['DEBUG'] })).decision).toMatchObject({ message: 'DEBUG of shop is not set' })
    expect(then.when(set({ WORKERS: '9' }, { cas: 0 })).decision).toMatchObject({ code: 'E_CONFIG_CHANGED' })
    expect(then.when(set({ WORKERS: '9' }, { cas: 1 })).decision).toMatchObject({ type: 'accepted' })
  })

  it('refuses a rollout that lacks a required value, with the command that sets it', () => {
    expect(published().when(deploy('r1')).decision).toMatchObject({
      ...{ code: 'E_CONFIG', message: 'shop needs a value of GREETING', next: 'tandem config set shop GREETING=VALUE' },
    })
  })

  it('comes with defaults, and changes with the next rollout', () => {
    const then = running()
    expect(runsWith(then)).toEqual({ version: 1, values: { WORKERS: '4', GREETING: 'hello' } })
    then.when(set({ WORKERS: '8' })).settled()
    expect(runsWith(then)).toMatchObject({ version: 1 })
    then.when(restart()).settled()
    expect(runsWith(then)).toEqual({ version: 2, values: { WORKERS: '8', GREETING: 'hello' } })
    const generation = then.world.state.services['shop']?.current?.generation ?? ''
    expect(configsOn(then.world.state, 'a')).toEqual({
      [generation]: { version: 2, values: { WORKERS: '8', GREETING: 'hello' } },
    })
    then
      .when(set({}, { unset: ['WORKERS'] }))
      .when(restart())
      .settled()
    expect(runsWith(then)).toEqual({ version: 3, values: { WORKERS: '4', GREETING: 'hello' } })
  })

  it('goes back with a rollout that fails; later ones use the last good one until it changes', () => {
    const then = running()
      .when(set({ WORKERS: '0' }))
      .on('a', { fates: { r1: 'fails' } })
    then.when(restart()).settled().on('a', { fates: {} })
    expect(runsWith(then)).toMatchObject({ version: 1 })
    expect(warned(then)).toEqual(['shop gets configuration 1: a rollout with 2 was reverted'])
    then.when(restart()).settled()
    expect(runsWith(then)).toMatchObject({ version: 1 })
    // Something else may have failed: the same values may be set again.
    then
      .when(set({ WORKERS: '0' }))
      .when(restart())
      .settled()
    expect(runsWith(then)).toMatchObject({ version: 3, values: { WORKERS: '0' } })
    expect(then.when(set({ WORKERS: '0' })).decision).toEqual({ type: 'nothing' })
  })

  it('is taken back by number, as a new version', () => {
    const then = running()
      .when(set({ WORKERS: '8' }))
      .when(set({ WORKERS: '9' }))
      .when(back(1))
    expect(then.world.state.configs['shop']?.at(-1)).toMatchObject({ version: 4, values: { GREETING: 'hello' }, of: 1 })
    expect(then.when(back()).world.state.configs['shop']?.at(-1)).toMatchObject({ version: 5, of: 3 })
    expect(then.when(back(9)).decision).toMatchObject({ message: 'shop has no configuration 9' })
  })

  it('of today goes with an earlier release; one that it does not know is left out, with a warning', () => {
    const then = running().running('r2', { config: { GREETING: {}, COLOUR: {} } })
    then
      .when(set({ COLOUR: 'red' }))
      .when(restart())
      .settled()
      .when(rollback())
      .settled()
    expect(runsWith(then)).toEqual({ version: 2, values: { WORKERS: '4', GREETING: 'hello' } })
    expect(warned(then)).toEqual(['this release of shop has no setting COLOUR, which is set'])
  })

  it('of that time goes with an earlier release if somebody asks for it', () => {
    const then = running()
      .running('r2', { config })
      .when(set({ WORKERS: '8' }))
      .when(restart())
      .settled()
    const back: Request = (world) => ({ ...rollback()(world), withFormer: ['config'] }) as never
    then.when(back).settled()
    expect([then.world.state.services['shop']?.current?.release, runsWith(then)]).toEqual([
      'r1',
      { version: 1, values: { WORKERS: '4', GREETING: 'hello' } },
    ])
  })

  it('is named by a rollback after a rollout that changed nothing else', () => {
    const named = 'the last rollout of shop changed only its configuration: tandem config rollback shop --roll'
    const asked = ({ world: { state } }: Then) =>
      feature.warnings?.(state, { service: 'shop', kind: 'rollback', release: 'r1' }, {}) ?? []
    const then = running().running('r2', { config })
    expect(asked(then)).toEqual([])
    then
      .when(set({ WORKERS: '8' }))
      .when(restart())
      .settled()
    expect(asked(then)).toEqual([named])
    then.when(rollback()).settled()
    expect(asked(then)).toEqual([])
  })

  it('that no longer fits refuses the push', () => {
    const then = running().published('r2', { config: { GREETING: { type: 'integer' } } })
    expect(then.when(deploy('r2')).decision).toMatchObject({
      ...{ code: 'E_CONFIG', message: 'GREETING is an integer, not "hello"' },
    })
  })
})
