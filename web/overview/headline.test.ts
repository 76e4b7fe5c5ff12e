import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import { headline } from './headline.ts'

const wrong = (tone: 'bad' | 'warn'): Overview['wrong'][number] =>
  ({ tone, word: 'x', subject: 'a', text: 'a', next: [], since: null }) as never // the headline counts them by tone

const given = (bad: number, warn: number, running: number): Overview =>
  ({
    wrong: [...Array.from({ length: bad }, () => wrong('bad')), ...Array.from({ length: warn }, () => wrong('warn'))],
    services: Array.from({ length: 3 }, (_, index) => ({ rollout: index < running ? { finishedAt: null } : null })),
    machines: [{}, {}],
  }) as never // likewise

const at = Date.parse('2026-11-29T14:02:07Z')

it.each([
  [0, 0, 0, 'All well, 3 services on 2 machines.', 'At 14:02:07: all well, 3 services on 2 machines.'],
  [
    0,
    0,
    1,
    'All well, 3 services on 2 machines. 1 rollout runs.',
    'At 14:02:07: all well, 3 services on 2 machines, 1 rollout ran.',
  ],
  [1, 0, 0, '1 problem.', 'At 14:02:07: 1 problem.'],
  [2, 3, 2, '2 problems. 3 notices. 2 rollouts run.', 'At 14:02:07: 2 problems, 3 notices, 2 rollouts ran.'],
  [0, 1, 0, '1 notice.', 'At 14:02:07: 1 notice.'],
])('%i problems, %i notices, %i rollouts', (bad, warn, running, now, then) => {
  expect(headline(given(bad, warn, running), null)).toBe(now)
  expect(headline(given(bad, warn, running), at)).toBe(then)
})
