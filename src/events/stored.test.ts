import { expect, it } from 'vitest'
import { fromStored, versionOf } from './stored.ts'

it('a cluster file from before `advert` and `trustedProxies` gets the values of that time', () => {
  const stored = { position: 1, at: '2026-01-01T00:00:00.000Z', type: 'ClusterApplied', version: 1 }
  const read = (cluster: object): unknown => fromStored({ ...stored, data: JSON.stringify({ cluster }) }).data
  expect(read({ cluster: 'shop' })).toEqual({
    cluster: { cluster: 'shop', advert: 100, entry: { trustedProxies: [] } },
  })
  const entry = { http: 80, https: 443, certificates: null }
  expect(read({ cluster: 'shop', advert: 500, entry })).toEqual({
    cluster: { cluster: 'shop', advert: 500, entry: { ...entry, trustedProxies: [] } },
  })
  const trusting = { ...entry, trustedProxies: ['10.0.0.0/8'] }
  expect(read({ cluster: 'shop', advert: 500, entry: trusting })).toMatchObject({ cluster: { entry: trusting } })
})

it('an old version is converted step by step to the current one; a newer one is refused', () => {
  const add = (key: string) => (data: unknown) => ({ ...(data as object), [key]: true })
  const known = { MachineLost: [add('second'), add('third')] }
  const stored = { position: 1, at: '2026-01-01T00:00:00.000Z', type: 'MachineLost', data: '{}' }
  const read = (version: number): unknown => fromStored({ ...stored, version }, known).data
  expect(versionOf('MachineLost', known)).toBe(3)
  expect([1, 2, 3].map(read)).toEqual([{ second: true, third: true }, { third: true }, {}])
  expect(() => read(4)).toThrow('MachineLost (version 4) at position 1, which this version of Tandem does not know')
})
