import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { freeTcpRoute, Laptop, tcpOffset } from '../system/laptop.ts'
import { Load } from '../system/load.ts'
import { endedEarly, failuresOf, pushLine, pushWeb } from '../system/rollUnderLoad.ts'

/** Documented lifetime of long connections. */
const drain = 3_000
const { seed, count: rounds } = randomRun('rounds', { check: 2, soak: 20 })
/** Each death begins a drain again, so on a slow computer a rollout would not end before the next one. */
const mostKills = 2 * rounds
const random = seededRandom(seed)

/*
 * Tests everything that Tandem promises for rollouts: many rollouts of an HTTP and a TCP service at the same time,
 * under 200 requests a second and, on each machine at any time, a slow request, a 20 MB upload, an event stream, a
 * WebSocket, a short TCP exchange and a silent TCP connection. Twenty in `make soak`, a few in `make check`, none in
 * `make test`.
 */
describe.each([
  { name: `${rounds} rollouts in a row`, kills: false, many: rounds },
  {
    name: `${rounds} rollouts in a row, the controller killed at random moments`,
    kills: true,
    many: rounds,
  },
])('$name', ({ kills, many }) => {
  let laptop: Laptop
  let load: Load
  let routes = ''
  let killer: NodeJS.Timeout | undefined
  let killed = 0

  beforeAll(async () => {
    const tcpPort = await freeTcpRoute()
    routes = `routes: [{ port: ${tcpPort}, expose: public }]`
    laptop = await Laptop.start()
    expect(await pushWeb(laptop, { name: 'web', version: '0', drain })).toMatchObject({ exit: 0 })
    expect(await pushLine(laptop, { name: 'line', version: '0', drain, more: routes })).toMatchObject({ exit: 0 })
    const tcp = [`127.0.0.1:${tcpPort}`, `127.0.0.1:${tcpPort + tcpOffset}`]
    load = new Load({ entries: Object.values(laptop.entries), perSecond: 200, tcp, drainMs: drain })
    load.start()
  })
  afterAll(async () => {
    clearTimeout(killer)
    await load?.stop()
    await laptop?.remove()
  })

  const killSoon = (): void => {
    if (killed === mostKills) return
    killer = setTimeout(
      () => {
        try {
          process.kill(laptop.pidOf('controller'), 'SIGKILL')
          killed++
        } catch {
          // The process is restarting at the moment; the loop tries again.
        }
        killSoon()
      },
      2_000 + random() * 6_000,
    )
  }

  it('no request fails', { timeout: 900_000 }, async () => {
    if (kills) killSoon()
    const isEnough = (rounds: number): boolean => rounds >= many && (!kills || killed > 0)
    for (let version = 1; !isEnough(version - 1); version++) {
      const text = { version: String(version), drain }
      const push = {
        web: () => pushWeb(laptop, { name: 'web', ...text }),
        line: () => pushLine(laptop, { name: 'line', ...text, more: routes }),
      }
      for (const pushed of await Promise.all([untilThrough(push.web), untilThrough(push.line)])) {
        expect(pushed).toMatchObject({ exit: 0 })
        if (pushed.rollout) expect(pushed.rollout.state).toBe('completed')
      }
      expect(failuresOf(load.result)).toEqual([])
    }
    clearTimeout(killer)
    await untilAnswers()
  })

  it('long connections stay open until the drain deadline and end with the goodbye of their service', async () => {
    const { requests, slow, uploads, lines, long, latencies } = await load.stop()
    const sorted = latencies.toSorted((a, b) => a - b)
    const at = (part: number): string => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1)
    console.log({ requests, slow, uploads, lines, long: long.length, p50: at(0.5), p99: at(0.99), killed })
    expect(Math.min(slow, uploads, long.length)).toBeGreaterThan(many * 2)
    expect(failuresOf(load.result)).toEqual([])
    const { rollouts } = await laptop.json<{ rollouts: RolloutView[] }>('rollouts', '--limit', '200')
    expect(rollouts.length).toBeGreaterThanOrEqual(2 * many)
    expect(endedEarly(long, rollouts, drain)).toEqual([])
  })

  /** Repeats a push if the controller died during the publish, or was unreachable for too long. */
  async function untilThrough(push: () => ReturnType<typeof pushWeb>): ReturnType<typeof pushWeb> {
    for (let attempt = 1; ; attempt++) {
      const pushed = await push()
      if (!kills || attempt === 20 || (pushed.exit !== 3 && pushed.exit !== 4)) return pushed
      await untilAnswers()
    }
  }

  async function untilAnswers(): Promise<void> {
    for (let asked = 0; asked < 200; asked++) if ((await laptop.json('status')).exit === 0) return
    throw new Error('the controller does not come back')
  }
})
