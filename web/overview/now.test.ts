import { expect, it } from 'vitest'
import { placesOf, type Problem } from './problems.ts'
import { told, type Change } from './told.ts'

const changed = (position: number, type: string, over: Partial<Change> = {}): Change => ({
  ...{ position, type, at: '2026-11-29T12:00:00.000Z', sign: 'done', subject: 'shop', text: type, by: null },
  ...{ service: 'shop', machine: null, rollout: null, instance: null, ...over },
})

it('a rollout that is over stands once among the changes, with who began it; one that runs with its start', () => {
  const changes = [
    changed(9, 'RolloutStarted', { rollout: 'two', by: 'tom' }),
    changed(8, 'RolloutFinished', { rollout: 'one' }),
    changed(7, 'MachineLost'),
    changed(6, 'RolloutStarted', { rollout: 'one', by: 'lena' }),
    changed(5, 'RolloutFinished', { rollout: 'old' }),
  ]
  expect(told(changes).map(({ position, by }) => [position, by])).toEqual([
    [9, 'tom'],
    [8, 'lena'],
    [7, null],
    [5, null],
  ])
})

it.each([
  ['rollout a88410c4a7ad → 61dc53636f09 started', 'rollout completed', 'rollout to 61dc536 completed'],
  ['rollout 61dc53636f09 started', 'rollout completed', 'rollout to 61dc536 completed'],
  [
    'rollback 61dc53636f09 → a88410c4a7ad started',
    'rollout reverted: it exited',
    'rollback to a88410c reverted: it exited',
  ],
  ['restart started', 'rollout completed', 'restart completed'],
  ['is being stopped', 'rollout completed', 'was stopped'],
  ['is being started', 'rollout aborted', 'rollout aborted'],
])('%s, then %s: %s', (start, end, text) => {
  const changes = [
    changed(9, 'RolloutFinished', { rollout: 'one', text: end }),
    changed(8, 'RolloutStarted', { rollout: 'one', text: start }),
  ]
  const sign = text === 'was stopped' ? 'warn' : 'done'
  expect(told(changes).map((one) => [one.text, one.sign])).toEqual([[text, sign]])
})

it.each<[Partial<Problem>, string[]]>([
  [{ service: 'shop', machine: 'b', instance: 'shop-1' }, ['/logs/shop?instance=shop-1']],
  [{ service: 'shop', machine: 'b' }, ['/logs/shop?machine=b', '/services/shop']],
  [{ service: 'shop' }, ['/logs/shop', '/services/shop']],
  [{ machine: 'b' }, ['/machines/b']],
  [{}, []],
])('a problem of %o leads to its cause', (over, places) => {
  const none = { service: null, machine: null, instance: null }
  const problem: Problem = { ...none, tone: 'bad', word: 'x', subject: 'x', text: 'x', next: [], since: null, ...over }
  expect(placesOf(problem).map(([href]) => href)).toEqual(places)
})
