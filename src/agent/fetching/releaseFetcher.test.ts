import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { ReleaseFetcher, type Fetching } from './releaseFetcher.ts'
import { quiet } from '../testing/given.ts'
import { until } from '../../lib/testing/until.ts'

const absent = new OperatorError('E_CONTROLLER_UNREACHABLE', 'no controller')
const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
let fetcher: ReleaseFetcher
let [changes, rooms] = [0, 0]
afterEach(() => fetcher.close())

/** A cache that behaves as the test defines, by release and attempt. */
function fetching(answer: (release: string, tries: number, signal: AbortSignal) => Promise<void>): Map<string, number> {
  const tries = new Map<string, number>()
  const cache: Fetching = {
    fetch: async (release, _source, { signal }) => {
      tries.set(release, (tries.get(release) ?? 0) + 1)
      await answer(release, tries.get(release) ?? 0, signal)
    },
    materialise: async () => '',
  }
  changes = 0
  rooms = 0
  const source = { fetch: (): never => expect.fail('only the cache asks it') }
  const retry = { firstMs: 2, mostMs: 4 }
  const told = { changed: () => changes++, makeRoom: async () => void rooms++ }
  fetcher = new ReleaseFetcher({ cache, source, logger: quiet, ...told, clock: systemClock, random: () => 0, retry })
  return tries
}

it('fetches all wanted releases at the same time', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const tries = fetching((release) => gates[release === one ? 0 : 1]?.promise ?? Promise.resolve())
  fetcher.want([one, two])
  fetcher.want([one, two])
  expect([...tries.values()]).toEqual([1, 1])
  for (const gate of gates) gate.resolve()
  await until(() => expect([...fetcher.fetched].toSorted()).toEqual([one, two]))
  expect(changes).toBe(2)
})

it('retries while the controller is unreachable, and does not report a failure', async () => {
  fetching(async (_, tries) => {
    if (tries <= 8) throw absent
  })
  fetcher.want([one])
  await until(() => expect([...fetcher.fetched]).toEqual([one]))
  expect(fetcher.failures.size).toBe(0)
})

it('reports three failures for another reason, however often the controller was unreachable, and continues to retry', async () => {
  let good = false
  const tries = fetching(async (_, count) => {
    if (good) return
    throw count % 2 === 0 ? absent : new Error('disk full')
  })
  fetcher.want([one])
  await until(() => expect(fetcher.failures.get(one)).toBe('disk full'))
  expect(tries.get(one)).toBe(5)
  good = true
  await until(() => expect([...fetcher.fetched]).toEqual([one]))
  expect(fetcher.failures.size).toBe(0)
})

it('drops releases that are no longer wanted: a fetch that ends late does not count', async () => {
  const gate = Promise.withResolvers<void>()
  const signals: AbortSignal[] = []
  fetching((_, __, signal) => {
    signals.push(signal)
    return gate.promise
  })
  fetcher.want([one])
  fetcher.want([])
  expect(signals[0]?.aborted).toBe(true)
  gate.resolve()
  await gate.promise
  await new Promise((resolve) => setImmediate(resolve))
  expect([...fetcher.fetched]).toEqual([])
  expect(changes).toBe(0)
})

it.each(['E_STORE_FULL', 'ENOSPC', 'EDQUOT'])('makes room before it retries after a full disk: %s', async (code) => {
  const roomsAtTry: number[] = []
  fetching(async (_, count) => {
    roomsAtTry.push(rooms)
    if (count <= 2) throw Object.assign(new Error('disk full'), { code })
    if (count === 3) throw new Error('the transfer broke off')
  })
  fetcher.want([one])
  await until(() => expect([...fetcher.fetched]).toEqual([one]))
  expect(roomsAtTry).toEqual([0, 1, 2, 2])
})

it('makes room when a partly fetched release is dropped, but not for a complete one and not at the end', async () => {
  fetching((release) => (release === one ? Promise.resolve() : Promise.reject(absent)))
  fetcher.want([one, two])
  await until(() => expect([...fetcher.fetched]).toEqual([one]))
  fetcher.want([two])
  expect(rooms).toBe(0)
  fetcher.want([])
  expect(rooms).toBe(1)
  fetcher.want([two])
  fetcher.close()
  expect(rooms).toBe(1)
})
