import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { Laptop } from './laptop.ts'
import { Load } from './load.ts'
import { drainMs, endedEarly, failuresOf, pushLine, pushWeb } from './rollUnderLoad.ts'

describe('a pair under load, http and tcp', () => {
  let laptop: Laptop
  let load: Load
  const tcpPort = 18_000 + Math.floor(Math.random() * 500)
  const tcpRoute = `routes: [{ port: ${tcpPort}, expose: public }]`
  const rollouts: RolloutView[] = []

  beforeAll(async () => {
    laptop = await Laptop.start()
    expect(await pushWeb(laptop, { name: 'web', version: '1' })).toMatchObject({ exit: 0, previous: null })
    expect(await pushLine(laptop, { name: 'line', version: '1', more: tcpRoute })).toMatchObject({ exit: 0 })
    load = new Load({
      entries: Object.values(laptop.entries),
      perSecond: 200,
      tcp: [`127.0.0.1:${tcpPort}`, `127.0.0.1:${tcpPort + 1000}`],
    })
    load.start()
  })
  afterAll(async () => {
    await load?.stop()
    await laptop?.remove()
  })

  it('rolls out both services, twice, without a failure', async () => {
    for (const version of ['2', '3']) {
      const [web, line] = await Promise.all([
        pushWeb(laptop, { name: 'web', version }),
        pushLine(laptop, { name: 'line', version, more: tcpRoute }),
      ])
      for (const pushed of [web, line]) {
        expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
        if (pushed.rollout) rollouts.push(pushed.rollout)
      }
    }
    expect(failuresOf(load.result)).toEqual([])
    expect(load.result.versions).toEqual(['1', '2', '3'])
  })

  it('keeps long connections open until the drain deadline; they end with the goodbye of their service', async () => {
    const { long, requests, slow, uploads, lines } = await load.stop()
    expect(Math.min(requests, slow, uploads, lines, long.length)).toBeGreaterThan(5)
    expect(endedEarly(long, rollouts, drainMs)).toEqual([])
  })
})
