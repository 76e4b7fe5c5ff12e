import { describe, expect, it } from 'vitest'
import { found, marked, type PaletteItem } from './palette.ts'

const item = (name: string, over: Partial<PaletteItem> = {}): PaletteItem => ({
  ...{ group: 'Go to', name, command: `tandem ${name}`, path: '/', ...over },
})

describe('the palette', () => {
  const items = [
    item('Roll back shop', { group: 'Do', refusal: 'Not now: a rollout of shop runs.' }),
    item('All rollouts', { command: 'tandem rollouts' }),
    item('Rollout z3t3 of shop', { command: 'tandem rollout show z3t3' }),
    item('Machines'),
  ]

  it('finds every word in name or command, groups in order, and the beginning of a name first', () => {
    expect(found(items, 'roll').map(({ name }) => name)).toEqual([
      'Rollout z3t3 of shop',
      'All rollouts',
      'Roll back shop',
    ])
    expect(found(items, 'SHOW shop').map(({ name }) => name)).toEqual(['Rollout z3t3 of shop'])
    expect(found(items, '')).toHaveLength(4)
    expect(found(items, 'nothing')).toEqual([])
  })

  it('keeps refused items, and shows at most eight of a group', () => {
    expect(found(items, 'back')[0]?.refusal).toContain('Not now:')
    expect(
      found(
        Array.from({ length: 50 }, (_, index) => item(`service ${index}`)),
        'service',
      ),
    ).toHaveLength(8)
  })

  it('marks what matched', () => {
    expect(marked('Rollouts', 'roll')).toEqual([
      { text: 'Roll', isMatch: true },
      { text: 'outs', isMatch: false },
    ])
    expect(marked('x', '')).toEqual([{ text: 'x', isMatch: false }])
    expect(marked('', 'x')).toEqual([])
  })
})
