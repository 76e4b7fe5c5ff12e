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

  it('reverts a release that exits before it is ready, on every machine, without a failure', async () => {
    const more = 'run: [node, -e, "process.exit(3)"]'
    const folder = laptop.service('web', `service: web\n${more}\nrollout: { drain: ${drainMs}ms }\n`)
    const { code, out } = await laptop.run('push', folder, '--json')
    const result = JSON.parse(out.at(-1) ?? '{}')
    expect(code).toBe(1)
    expect(result.rollout).toMatchObject({
      state: 'reverted',
      machines: [
        { machine: 'a', state: 'reverted' },
        { machine: 'b', state: 'untouched' },
      ],
    })
    expect(result.rollout.reason).toContain('exited with status 3')
    expect(failuresOf(load.result)).toEqual([])
    const status = await laptop.json('status', 'web')
    expect(JSON.stringify(status)).not.toContain(result.release)
  })

  it('reverts both machines when the second fails, without a failure', async () => {
    const program = `if (process.env.TANDEM_MACHINE === 'b') process.exit(4); await import('./web.mjs')`
    const folder = laptop.service(
      'web',
      `service: web\nrun: [node, --input-type=module, -e, "${program}"]\nenv: { VERSION: "5" }\nrollout: { drain: ${drainMs}ms }\n`,
    )
    const pushed = await laptop.json<{ rollout: RolloutView }>('push', folder)
    expect(pushed).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
    expect(pushed.rollout.machines.map(({ state }) => state)).toEqual(['reverted', 'reverted'])
    rollouts.push(pushed.rollout)
    expect(failuresOf(load.result)).toEqual([])
  })

  it('keeps long connections open until the drain deadline; they end with the goodbye of their service', async () => {
    const { long, requests, slow, uploads, lines } = await load.stop()
    expect(Math.min(requests, slow, uploads, lines, long.length)).toBeGreaterThan(5)
    expect(endedEarly(long, rollouts, drainMs)).toEqual([])
  })
})
