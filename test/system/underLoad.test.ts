import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { freeTcpRoute, Laptop, tcpOffset } from './laptop.ts'
import { Load, type LoadResult } from './load.ts'
import { drainMs, endedEarly, failuresOf, pushLine, pushWeb } from './rollUnderLoad.ts'
import { inOrder } from './steps.ts'
import { ask, pushTalker } from './talker.ts'
import { Eyes, isAlive, processesOf, until } from './watch.ts'

/** An upload takes two seconds at any size; `test/long` and one suite of the lab send 20 MB. */
const uploadBytes = 2_000_000
const { count: rollsOfBoth } = randomRun('rolls_of_both', { check: 2, soak: 10 })
const { seed, count } = randomRun('killed', { check: 4, soak: 100 })

describe('a pair under load, http and tcp', () => {
  const step = inOrder()
  const random = seededRandom(seed)
  let tcpRoute = ''
  const rollouts: RolloutView[] = []
  let laptop: Laptop
  let eyes: Eyes
  let load: Load
  let killed: Load
  const entry = (machine: string): string => laptop.entries[machine] ?? ''

  beforeAll(async () => {
    const tcpPort = await freeTcpRoute()
    tcpRoute = `routes: [{ port: ${tcpPort}, expose: public }]`
    laptop = await Laptop.start()
    eyes = new Eyes(laptop)
    expect(await pushWeb(laptop, { name: 'web', version: '1' })).toMatchObject({ exit: 0, previous: null })
    expect(await pushLine(laptop, { name: 'line', version: '1', more: tcpRoute })).toMatchObject({ exit: 0 })
    const entries = Object.values(laptop.entries)
    load = new Load({
      entries,
      perSecond: 200,
      uploadBytes,
      tcp: [`127.0.0.1:${tcpPort}`, `127.0.0.1:${tcpPort + tcpOffset}`],
      drainMs,
    })
    killed = new Load({ entries, perSecond: 100, uploadBytes, drainMs })
    load.start()
  })
  afterAll(async () => {
    await Promise.all([load?.stop(), killed?.stop()])
    await laptop?.remove()
  })

  step(
    'rolls out both services without a failure; long connections stay open until the drain deadline, and end with the goodbye of their service',
    async () => {
      const versions = Array.from({ length: rollsOfBoth }, (_, index) => `${index + 2}`)
      for (const version of versions) {
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
      expect(load.result.versions).toEqual(['1', ...versions])
      // On a busy computer, few may have been answered during the rollouts.
      const fewest = ({ requests, slow, uploads, lines }: LoadResult): number =>
        Math.min(requests, slow, uploads, lines)
      await expect.poll(() => fewest(load.result)).toBeGreaterThan(5)
      const { long } = await load.stop()
      expect(long.length).toBeGreaterThan(5)
      expect(endedEarly(long, rollouts, drainMs)).toEqual([])
    },
  )

  step(
    `resumes each rollout whose controller is killed at a random moment; push follows, and no request fails (${count} kills, TANDEM_SEED=${seed})`,
    async () => {
      killed.start()
      for (let kill = 1; kill <= count; kill++) {
        const version = `killed-${kill}`
        const pushing = pushWeb(laptop, { name: 'web', version })
        const timer = Promise.withResolvers<void>()
        setTimeout(timer.resolve, Math.floor(random() * 2_500))
        await timer.promise
        process.kill(laptop.pidOf('controller'), 'SIGKILL')
        const pushed = await pushing
        // Without a controller before or during the publish, push fails; the next push succeeds when it is back.
        if (pushed.exit === 3) {
          const again = await until('the controller is back', async () => {
            const one = await pushWeb(laptop, { name: 'web', version })
            return one.exit !== 3 && one
          })
          expect(again).toMatchObject({ exit: 0 })
        } else expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
      }
      expect(failuresOf(await killed.stop())).toEqual([])
      expect(killed.result.versions.at(-1)).toBe(`killed-${count}`)
    },
    3_600_000,
  )

  /** Runs a command whose output never ends, kills a part meanwhile, and returns how the command ended. */
  async function runWhileKilled(part: string): Promise<{ code: number; err: string; pid: number }> {
    const child = laptop.spawnFed(
      'run',
      'web',
      '--machine',
      'b',
      '--no-stdin',
      '--',
      'sh',
      '-c',
      'echo $$; exec cat /dev/zero',
    )
    let err = ''
    child.stderr?.on('data', (chunk) => (err += String(chunk)))
    const [first] = (await once(child.stdout ?? child, 'data')) as [Buffer]
    child.stdout?.resume()
    await once(child.stdout ?? child, 'data')
    process.kill(laptop.pidOf(part), 'SIGKILL')
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    return { code, err, pid: Number(first.toString().split('\n')[0]) }
  }

  step('never ends `tandem run` with 0 when the controller is killed in the middle of the output', async () => {
    const { code, err, pid } = await runWhileKilled('controller')
    expect(err).toContain('E_OUTPUT_CUT')
    expect(code).toBe(1)
    await until('the program has also ended', () => !isAlive(pid))
    await until('the controller answers', async () =>
      (await eyes.status()).machines.every(({ state }) => state === 'ready'),
    )
  })

  step(
    'loses no instance and starts none twice when an agent is killed; what the instances and `tandem run` had started ends',
    async () => {
      const talk = { name: 'talk', version: '1', more: 'instances: 2\nroutes: [{ host: talk.example }]' }
      expect(await pushTalker(laptop, talk)).toMatchObject({ exit: 0 })
      const daemon = Number((await ask(entry('b'), '/daemon', 'talk.example')).text)
      const ofB = async () => (await eyes.service('talk')).instances.filter(({ machine }) => machine === 'b')
      const before = await ofB()
      const pids = [...before.map(({ pid }) => pid ?? 0), daemon]
      expect(pids.map(isAlive)).toEqual([true, true, true])
      const { code, err, pid } = await runWhileKilled('b')
      expect(err).toContain('E_OUTPUT_CUT')
      expect(code).toBe(1)
      await until('all processes have ended', () => ![...pids, pid].some(isAlive))
      const answers = new Set<number>()
      await until('the entry serves again', async () => {
        const { status } = await ask(entry('b'), '/', 'talk.example')
        answers.add(status)
        return status === 200
      })
      expect([...answers].filter((status) => status !== 200 && status !== 503)).toEqual([])
      const again = await until('both instances are back', async () => {
        const instances = await ofB()
        const areNew = instances.every((one) => one.state === 'ready' && !pids.includes(one.pid ?? 0))
        return instances.length === 2 && areNew && instances
      })
      expect(again.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
      const running = processesOf({ TANDEM_MACHINE: 'b', TANDEM_DATA: join(laptop.folder, 'data/b/data/talk') })
      expect(new Set(running)).toEqual(new Set(again.map((one) => one.pid)))
    },
  )
})
