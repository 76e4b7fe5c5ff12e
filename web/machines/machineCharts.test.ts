import { expect, it } from 'vitest'
import type { NumbersSeries } from '../../src/api/numbers.ts'
import { machineCharts } from './machineCharts.ts'

const times = [10_000, 20_000, 30_000, 40_000]
const range = { from: 0, to: 40_000 }
const series: NumbersSeries = {
  ...{ service: null, instances: [], balancers: [] },
  machines: [
    { machine: 'a', at: times, cpu: [1, 1, 1, 1], memory: [1, 1, 1, 1], disk: [1, 1, 1, 1] },
    { machine: 'b', at: times, cpu: [null, 0.2, 0.4, 0.4], memory: [null, null, null, null], disk: [0.1, 0.1, 1, 1] },
  ],
}

it('shows since when a disk is full, leaves out what a machine does not tell, and is of one machine', () => {
  const { at, charts } = machineCharts(series, 'b', range)
  const disk = charts.find(({ title }) => title === 'Disk')
  expect(disk?.lines[0]?.values[at.indexOf(20_000)]).toBeCloseTo(0.1)
  expect(disk?.lines[0]?.values[at.indexOf(22_000)]).toBeCloseTo(1)
  expect(charts.map(({ title, sentence }) => `${title}: ${sentence}`)).toEqual([
    'Processors: Between 20 % and 40 % in use, 40 % at the end.',
    'Memory: Not reported.',
    'Disk: Between 10 % and 100 % in use, 100 % at the end.',
  ])
  expect(machineCharts(null, 'b', range).charts[0]?.sentence).toBe('Not reported.')
})
