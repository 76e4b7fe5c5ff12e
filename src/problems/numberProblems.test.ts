import { describe, expect, it } from 'vitest'
import type { Numbers, NumbersSeries } from '../api/numbers.ts'
import { problem } from '../api/standingProblem.ts'
import { numberProblems } from './numberProblems.ts'

const at = '2026-11-29T12:00:00.000Z'
const gib = 1024 ** 3

function numbersOf(
  rows: [service: string, machine: string, perSecond: number | null, errors: number | null][],
  disk: { usedBytes: number; totalBytes: number } | null = { usedBytes: gib, totalBytes: 10 * gib },
  missing: string | null = null,
): Numbers {
  const figures = { own: [0, 0, 0, 0, 0], retries: 0, held: 0, instances: [] } satisfies Partial<
    Numbers['services'][number]
  >
  return {
    at,
    machines: ['a', 'b'].map((machine) => ({ machine, asOf: at, missing, cpu: 0.1, memory: null, disk })),
    services: rows.map(([service, machine, perSecond, errors]) => ({
      ...figures,
      service,
      machine,
      perSecond,
      errors,
    })),
  }
}

const points = Array.from({ length: 90 }, (_, index) => Date.parse(at) - (89 - index) * 10_000)
const rest = { instances: [], balancers: [] }
const nothing = (service: string | null): NumbersSeries => ({ service, machines: [], ...rest })

/** Columns of the last 15 minutes: zero, then `value` for the last points. */
const lately = (value: number, many: number): number[] => points.map((_, index) => (index >= 90 - many ? value : 0))
const before = (many: number): string => new Date(points[90 - many] ?? 0).toISOString()

describe('problems of numbers', () => {
  it('are the services that answer with errors, each once, with the machines where they do', () => {
    const numbers = numbersOf([
      ['payments', 'a', 3, 0.7],
      ['payments', 'b', 1, 0.5],
      ['search', 'a', 100, 0.01],
      ['site', 'a', 0.2, 0.2],
      ['uploads', 'a', 5, 0],
      ['uploads', 'b', 5, 0.9],
      ['queue', 'a', null, null],
      ['mails', 'a', 10, 0.06],
      ['pdf', 'a', 10, 1],
    ])
    expect(numberProblems(numbers, [], nothing)).toMatchObject([
      {
        ...{ tone: 'bad', word: 'errors', subject: 'payments', service: 'payments', machine: null },
        text: 'payments answers about 70 % of its requests on a and b with errors',
      },
      { text: 'uploads answers about 90 % of its requests on b with errors', service: 'uploads', machine: 'b' },
      { text: 'mails answers about 6 % of its requests on a with errors' },
      { text: 'pdf answers all requests on a with errors' },
    ])
  })

  it('leave out a service whose failure is told already', () => {
    const told = problem({
      tone: 'bad',
      word: 'crash loop',
      subject: 'shop on a',
      text: 'shop on a: …',
      service: 'shop',
    })
    const numbers = numbersOf([['shop', 'a', 3, 0.7]])
    expect([
      numberProblems(numbers, [told], nothing),
      numberProblems(numbers, [{ ...told, tone: 'warn' }], nothing).length,
    ]).toEqual([[], 1])
  })

  it.each([
    ['10 MiB of 400 MiB left', 390, 400],
    ['0 MiB of 10.0 GiB left', 10 * 1024, 10 * 1024],
  ])('are full disks: %s', (left, used, total) => {
    const numbers = numbersOf([], { usedBytes: used * 1024 ** 2, totalBytes: total * 1024 ** 2 })
    expect(numberProblems(numbers, [], nothing)).toMatchObject([
      {
        ...{ tone: 'bad', word: 'disk full', machine: 'a' },
        text: `machine a: its disk is full: ${left} where Tandem and services keep their data`,
      },
      { machine: 'b' },
    ])
  })

  it('are not disks that have room or are small, nor figures of machines that report none now', () => {
    const silent = numbersOf([['shop', 'a', 3, 0.7]], { usedBytes: gib, totalBytes: gib }, 'the machine is lost')
    const small = numbersOf([], { usedBytes: 50 * 1024 ** 2, totalBytes: 100 * 1024 ** 2 })
    expect(
      [numbersOf([]), numbersOf([], null), silent, small].flatMap((one) => numberProblems(one, [], nothing)),
    ).toEqual([])
  })

  it('say since when, unless that is longer ago than the numbers; a few errors before are no failure', () => {
    const numbers = numbersOf(
      [
        ['payments', 'a', 10, 0.5],
        ['pdf', 'a', 10, 1],
      ],
      { usedBytes: gib, totalBytes: gib },
    )
    const zeros = points.map(() => 0)
    const tens = points.map(() => 10)
    const series = (service: string | null): NumbersSeries => ({
      service,
      machines: [
        { machine: 'a', at: points, cpu: zeros, memory: zeros, disk: lately(1, 12) },
        { machine: 'b', at: points, cpu: zeros, memory: zeros, disk: points.map(() => 1) },
      ],
      instances: ['a', 'b'].map((machine) => ({
        ...{ instance: `${service}-${machine}`, machine, at: points, inFlight: zeros, perSecond: tens },
        errorsPerSecond:
          machine === 'b' || service === 'pdf'
            ? tens
            : lately(5, 6).map((errors, index) => (index < 10 ? 5 : Math.max(errors, 0.1))),
      })),
      balancers: [],
    })
    expect(numberProblems(numbers, [], series).map(({ subject, since }) => [subject, since])).toEqual([
      ['machine a', before(12)],
      ['machine b', null],
      ['payments', before(6)],
      ['pdf', null],
    ])
  })
})
