import { expect, it } from 'vitest'
import type { Check } from '../../api/checks.ts'
import { certificatesOf } from './certificatesOf.ts'

const check = (machine: string, minute: number, certificates?: Check['certificates']): Check => ({
  ...{ machine, checked: [], findings: [], at: `2026-11-29T10:0${minute}:00.000Z` },
  ...(certificates ? { certificates } : {}),
})
const own = (name: string, day: string) => ({ name, kind: 'own', until: `2026-12-${day}T00:00:00.000Z` }) as const
const shop = (day: string) => ({ name: 'shop.example', kind: 'public', until: `2026-12-${day}T00:00:00.000Z` }) as const

it('lists each certificate once with its earliest end and the age of its oldest checkup', () => {
  const checks = [
    check('(controller)', 3, [own('controller', '20')]),
    check('a', 2, [own('a', '19'), shop('09')]),
    check('b', 1, [shop('11'), { ...shop('30'), name: 'admin.example' }]),
    check('c', 0),
  ]
  expect(certificatesOf(checks)).toEqual([
    {
      ...{ name: 'shop.example', machines: ['a', 'b'], until: '2026-12-09T00:00:00.000Z' },
      asOf: '2026-11-29T10:01:00.000Z',
    },
    {
      ...{ name: null, machines: ['(controller)', 'a'], until: '2026-12-19T00:00:00.000Z' },
      asOf: '2026-11-29T10:02:00.000Z',
    },
    {
      ...{ name: 'admin.example', machines: ['b'], until: '2026-12-30T00:00:00.000Z' },
      asOf: '2026-11-29T10:01:00.000Z',
    },
  ])
})
