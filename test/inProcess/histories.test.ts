import { expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { RandomHistory } from './randomHistory.ts'

const { seed, count } = randomRun('clusters', { check: 20, soak: 2_000 })

it(`whatever happens to a cluster, its invariants hold and a good release reaches every machine (${count} histories, TANDEM_SEED=${seed})`, async () => {
  let events = 0
  for (let history = 0; history < count; history++) {
    const { cluster } = await RandomHistory.run(seed + history)
    events += cluster.events().length
  }
  expect(events).toBeGreaterThan(count * 20)
}, 7_200_000)
