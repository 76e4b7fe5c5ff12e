import { describe, expect, it } from 'vitest'
import { nearest } from './suggest.ts'

describe('nearest', () => {
  const keys = ['service', 'run', 'routes', 'rollout', 'health', 'limits', 'env']
  it.each([
    ['servce', 'service'],
    ['serivce', 'service'],
    ['Health', 'health'],
    ['limit', 'limits'],
    ['rn', 'run'],
    ['evn', 'env'],
    ['banana', null],
    ['x', null],
    ['', null],
    ['s'.repeat(100_000), null],
  ])('%s is meant to be %s', (written, meant) => {
    expect(nearest(written, keys)).toBe(meant)
  })
})
