import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Laptop } from './laptop.ts'
import { Load } from './load.ts'
import { failuresOf, pushWeb, type Pushed } from './rollUnderLoad.ts'
import { until } from './watch.ts'

describe('the controller is killed at random moments of rollouts', () => {
  let laptop: Laptop
  let load: Load

  beforeAll(async () => {
    laptop = await Laptop.start()
    await pushWeb(laptop, { name: 'web', version: '0' })
    load = new Load({ entries: Object.values(laptop.entries), perSecond: 200 })
    load.start()
  })
  afterAll(async () => {
    await load?.stop()
    await laptop?.remove()
  })

  it('each rollout is resumed and ends, push follows it, and no request fails', async () => {
    for (let version = 1; version <= 2; version++) {
      const killAfterMs = Math.floor(Math.random() * 2_500)
      console.log(`round ${version}: kill -9 after ${killAfterMs} ms`)
      const pushing = pushWeb(laptop, { name: 'web', version: String(version) })
      const killed = new Promise<void>((resolve) => {
        setTimeout(() => {
          process.kill(laptop.pidOf('controller'), 'SIGKILL')
          resolve()
        }, killAfterMs)
      })
      await killed
      const pushed = await pushing
      // If the controller was killed before or during the publish, push fails; the next push succeeds when the
      // controller is back.
      if (pushed.exit === 3) {
        const push = (): Promise<Pushed> => pushWeb(laptop, { name: 'web', version: String(version) })
        const again = await until('the controller is back', async () => {
          const one = await push()
          return one.exit !== 3 && one
        })
        expect(again).toMatchObject({ exit: 0 })
      } else expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    }
    expect(failuresOf(await load.stop())).toEqual([])
    expect(load.result.versions.at(-1)).toBe('2')
  })
})
