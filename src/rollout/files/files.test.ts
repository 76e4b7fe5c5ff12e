import { describe, expect, it } from 'vitest'
import { deploy, given, restart, type Request } from '../../decider/testing/given.ts'
import { limits } from '../../decision/limits.ts'
import { rendersOn } from './desired.ts'

const files = { 'etc/app.conf': { template: 'app.liquid', check: ['./app', '{}'] } }
const config = { WORKERS: { type: 'integer' as const, default: '4' }, DEBUG: { type: 'boolean' as const } }
const published = () => given('a', 'b').published('r1').when(deploy('r1')).settled().published('r2', { files, config })
type Then = ReturnType<typeof published>
const current = ({ world }: Then) => world.state.services['shop']?.current
const set =
  (values: Record<string, string>): Request =>
  () => ({ type: 'ChangeConfig', service: 'shop', set: values, unset: [], reason: null, cas: null })

describe('files', () => {
  it('are filled in with the values of the generation, on each machine', () => {
    const then = published()
      .when(set({ DEBUG: 'false' }))
      .when(deploy('r2'))
      .settled()
    const { release = '', generation = '' } = current(then) ?? {}
    expect(rendersOn(then.world.state, 'b')).toEqual([
      {
        ...{ service: 'shop', generation, release, files },
        variables: {
          cluster: { name: then.world.state.config.cluster },
          machine: { name: 'b', address: '10.0.0.b' },
          service: { name: 'shop', release },
          config: { WORKERS: 4, DEBUG: false },
        },
      },
    ])
    const { desire } = then.world.machine('b')
    expect(desire?.render).toHaveLength(1)
    expect(desire?.definitions[release]).not.toHaveProperty('files')
  })

  it('that a machine cannot fill in fail the rollout before any turn, with the text of the error', () => {
    const then = published().on('b', { renderFate: 'fails' }).when(deploy('r2')).settled()
    expect(then.world.log.filter(({ type }) => type === 'TurnStarted')).toHaveLength(2)
    expect(then.world.state.rollouts[then.world.state.services['shop']?.lastRollout ?? '']).toMatchObject({
      ...{ outcome: 'reverted', reason: 'machine b could not fill in the files: app.liquid:2:7: undefined variable' },
    })
  })

  it('are awaited on every machine, up to a deadline', () => {
    const then = published().on('b', { renderFate: 'hangs' }).when(deploy('r2')).settled()
    const rollout = then.world.state.services['shop']?.rollout ?? ''
    // The phase "fetch" of a machine ends when it has the files too.
    expect(then.world.state.rollouts[rollout]).toMatchObject({
      ...{ stage: 'fetching', machines: { a: { fetched: true }, b: { fetched: false } } },
    })
    then.passing(limits.fetchMs + limits.renderMs + 5_000, 4_000)
    expect(then.world.state.rollouts[then.world.state.services['shop']?.lastRollout ?? '']).toMatchObject({
      ...{ outcome: 'reverted', reason: 'machine b did not have the files of its instances in time' },
    })
    then.on('b', { renderFate: 'ready' }).when(deploy('r2')).settled()
    expect(current(then)?.release).toBe('r2')
  })

  it('are filled in again for each rollout', () => {
    const then = published().when(deploy('r2')).settled()
    const before = current(then)?.generation
    then.when(restart()).settled()
    expect(rendersOn(then.world.state, 'a').map(({ generation }) => generation)).toEqual([current(then)?.generation])
    expect(current(then)?.generation).not.toBe(before)
  })

  it('are awaited on a machine that returns, before it catches up', () => {
    const then = published().on('b', { alive: false }).passing(11_000).when(deploy('r2')).settled()
    expect(current(then)?.release).toBe('r2')
    then.on('b', { alive: true, renderFate: 'fails' }).passing(20_000)
    expect(then.runs()['b']).toEqual(['r1 ready active'])
    then.on('b', { renderFate: 'ready' }).passing(20_000)
    expect(then.runs()['b']).toEqual(['r2 ready active'])
  })

  it('of a machine that the service leaves are not awaited', () => {
    const then = published()
      .published('r3', { files, machines: ['a'] })
      .when(deploy('r3'))
      .settled()
    expect([current(then)?.release, then.runs()]).toEqual(['r3', { a: ['r3 ready active'], b: [] }])
  })

  it('are refused where a machine lacks the ability', () => {
    const then = published().on('b', { abilities: [] }).passing(4_000).when(deploy('r2'))
    expect(then.decision).toMatchObject({ code: 'E_NO_ABILITY', next: expect.stringContaining('tandem up') })
  })
})
