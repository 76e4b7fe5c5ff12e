import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Report } from '../../protocol/report.ts'
import { callsIn, noCounts, withReport, type CallCounts } from './callCounts.ts'

const hour = 3_600_000
const start = Date.parse('2026-01-01T00:00:00Z')
const iso = (ms: number): string => new Date(ms).toISOString()
type Calls = Report['firewall']['calls']

const report = (seen: number, refused: number, machine = 'a'): Pick<Report, 'machine' | 'firewall'> => ({
  machine,
  firewall: { state: 'observing', why: null, calls: [{ from: 'shop', to: 'db', port: 5432, seen, refused }] },
})

describe('counts of connections', () => {
  it('are the growth of the sums of all machines, also when a table begins again at zero', () => {
    let counts = withReport(noCounts, report(5, 0), start)
    counts = withReport(counts, report(7, 1), start + 60_000)
    counts = withReport(counts, report(2, 0, 'b'), start + 70_000)
    counts = withReport(counts, report(3, 1), start + 80_000)
    expect(counts.since).toBe(start)
    expect(callsIn(counts)).toEqual([
      {
        ...{ from: 'shop', to: 'db' },
        seen: { count: 5 + 2 + 2 + 3, first: iso(start), last: iso(start + 80_000) },
        refused: { count: 1, first: iso(start + 60_000), last: iso(start + 60_000) },
      },
    ])
  })

  it('are those of the last week', () => {
    const old = withReport(noCounts, report(5, 0), start)
    const later = withReport(old, report(6, 0), start + 100 * hour)
    expect(callsIn(later)[0]?.seen?.count).toBe(6)
    expect(callsIn(withReport(later, report(6, 0), start + 169 * hour))[0]?.seen?.count).toBe(1)
    expect(callsIn(withReport(later, report(6, 0), start + 300 * hour))).toEqual([])
  })

  it('do not begin before a machine counts', () => {
    const off = { machine: 'a', firewall: { state: 'off' as const, why: null, calls: [] } }
    expect(withReport(noCounts, off, start).since).toBe(null)
  })

  it('lose nothing, whatever grows when', () => {
    const grows = fc.array(fc.record({ seen: fc.nat(100), refused: fc.nat(100), after: fc.nat(2 * hour) }), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(grows, (steps) => {
        let counts: CallCounts = noCounts
        let [seen, refused, now] = [0, 0, start]
        for (const step of steps) {
          ;[seen, refused, now] = [seen + step.seen, refused + step.refused, now + step.after]
          counts = withReport(counts, report(seen, refused), now)
        }
        const [found] = callsIn(counts)
        expect([found?.seen?.count ?? 0, found?.refused?.count ?? 0]).toEqual([seen, refused])
      }),
    )
  })

  it('have a bound', () => {
    const calls: Calls = Array.from({ length: 6_000 }, (_, index) => ({
      ...{ from: `user ${index}`, to: 'db', port: 1, seen: 1, refused: 0 },
    }))
    const counts = withReport(noCounts, { machine: 'a', firewall: { state: 'enforcing', why: null, calls } }, start)
    expect(callsIn(counts)).toHaveLength(5_000)
  })
})
