import { expect, it } from 'vitest'
import type { MachineNumbers } from '../../protocol/numbers.ts'
import { sampleOf, type Read } from './sample.ts'
import { NumbersHistory } from './series.ts'

const instances = 500

function numbersAt(point: number): MachineNumbers {
  return {
    counting: 'one',
    instances: Array.from({ length: instances }, (_, index) => ({
      ...{ id: `shop-${index}`, service: 'shop', connections: 0, errors: 0, work: 1 },
      answers: [0, point * 10, 0, 0, point],
    })),
    services: [],
    load: { cpu: null, memory: null, disk: null },
  }
}

it(`holds 15 minutes of ${instances} instances at 2 s in 11 MB`, () => {
  const history = new NumbersHistory()
  let before: Read | null = null
  for (let point = 0; point < 600; point += 1) {
    const now = { at: point * 2_000, monotonic: point * 2_000, numbers: numbersAt(point) }
    history.add(sampleOf('a', before, now))
    before = now
  }
  expect(history.bytes).toBeLessThan(11_000_000)
  const { instances: columns } = history.series('shop', -Infinity)
  expect(columns).toHaveLength(instances)
  expect(columns[0]?.at).toHaveLength(451)
  expect(new Set(columns[0]?.perSecond)).toEqual(new Set([5.5]))
  const at = 599 * 2_000
  expect(history.recent('a', 'shop-1', at)).toEqual({ seconds: 60, requests: 330, failed: 30, unconnected: 0 })
})

it('forgets an instance 15 minutes after its last point, and a machine at once when it is removed', () => {
  const history = new NumbersHistory()
  const empty = { ...numbersAt(0), instances: [] }
  const reads = [numbersAt(1), numbersAt(2), empty].map((numbers, index) => {
    const at = index < 2 ? index * 2_000 : 1_000_000
    return { at, monotonic: at, numbers }
  })
  reads.forEach((read, index) => history.add(sampleOf('a', reads[index - 1] ?? null, read)))
  expect(history.series('shop', -Infinity).instances).toEqual([])
  expect(history.series(null, -Infinity).machines).toHaveLength(1)
  history.forgetMachine('a')
  expect(history.series(null, -Infinity).machines).toEqual([])
})
