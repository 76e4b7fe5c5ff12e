import { expect, it } from 'vitest'
import { fromStored } from './stored.ts'

it('a cluster file of before `advert` says what was so then', () => {
  const stored = { position: 1, at: '2026-01-01T00:00:00.000Z', type: 'ClusterApplied', version: 1 }
  const read = (cluster: object): unknown => fromStored({ ...stored, data: JSON.stringify({ cluster }) }).data
  expect(read({ cluster: 'shop' })).toEqual({ cluster: { cluster: 'shop', advert: 100 } })
  expect(read({ cluster: 'shop', advert: 500 })).toEqual({ cluster: { cluster: 'shop', advert: 500 } })
})
