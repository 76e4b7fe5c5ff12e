import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClusterMap } from '../../src/api/map.ts'
import type { Named } from '../../src/api/names.ts'
import { ask, pushTalker } from '../system/talker.ts'
import { Assembled } from './assembled.ts'

describe('services of a laptop that use each other', () => {
  let laptop: Assembled
  const envOn = async (machine: string): Promise<Record<string, string>> =>
    JSON.parse((await ask(laptop.entries[machine], '/env')).text) as Record<string, string>

  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 2 })
    const routes = 'routes: [{ host: echo.example.com }]'
    expect(await pushTalker(laptop, { name: 'echo', version: '1', more: routes })).toMatchObject({ exit: 0 })
    const env = { TARGET: '${ECHO_URL}/path' }
    const uses = 'uses: [echo, { service: later, optional: true }]\nabout: { owner: payments }'
    expect(await pushTalker(laptop, { name: 'caller', version: '1', env, more: uses })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  it('get the address of the balancer of their own machine', async () => {
    const [onA, onB] = [await envOn('a'), await envOn('b')]
    expect(onA).toMatchObject({ ECHO_HOST: '127.0.0.1', TARGET: `${onA['ECHO_URL']}/path` })
    expect(Number(onB['ECHO_PORT'])).toBe(Number(onA['ECHO_PORT']) + 1_000)
    expect(Object.keys(onA).filter((name) => name.startsWith('LATER'))).toEqual([])
    expect((await ask(onA['ECHO_URL'])).instance).toMatch(/^echo-\w+-a-1$/)
    expect((await ask(onB['ECHO_URL'])).instance).toMatch(/^echo-\w+-b-1$/)
  })

  it('stand with their calls in names, resolve and map', async () => {
    const { names } = await laptop.json<{ names: Named[] }>('names')
    expect(names).toMatchObject([{ service: 'echo', name: null, address: '127.0.0.1', usedBy: ['caller'] }])
    const { from } = await laptop.json<Named>('resolve', 'echo', '--from', 'b')
    expect(from).toMatchObject([{ machine: 'b', why: 'ready on the same machine' }])
    const { nodes, edges } = await laptop.json<ClusterMap>('map')
    expect(nodes.map(({ name }) => name)).toEqual(['caller', 'echo', 'later'])
    expect(edges).toMatchObject([
      { from: 'caller', to: 'echo', as: 'ECHO', seen: null, mark: null },
      { from: 'caller', to: 'later', optional: true },
    ])
    expect((await laptop.run('map', '--svg')).out.join('\n')).toMatch(/^<svg .*<\/svg>$/s)
  })

  it('are not removed while others use them, and answer with their name when they are stopped', async () => {
    expect(await laptop.json('remove', 'echo')).toMatchObject({
      exit: 4,
      error: { code: 'E_IN_USE', message: 'caller uses echo' },
    })
    expect(await laptop.json('stop', 'echo')).toMatchObject({ exit: 0 })
    const { ECHO_URL } = await envOn('a')
    const answer = await fetch(ECHO_URL ?? '')
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('echo')])
    expect(await laptop.json('remove', 'echo', '--force')).toMatchObject({ exit: 0 })
  })
})
