import { describe, expect, it } from 'vitest'
import { plain } from '../paint.ts'
import { at, machineStatus, rolloutView, statusView } from '../testing/views.ts'
import { renderOutcome } from './outcome.ts'
import { machineLine, progressLines } from './progressLines.ts'
import { rolloutResult } from './rolloutResult.ts'
import { renderRollout, renderRollouts } from './rollouts.ts'
import { standingProblems } from './standingProblems.ts'

const now = Date.parse(at(10))
const done = rolloutView({
  ...{ state: 'completed', finishedAt: at(2.5) },
  machines: [
    {
      ...{ machine: 'a', state: 'done' },
      phases: [
        { phase: 'fetch', startedAt: at(0), finishedAt: at(0.12) },
        { phase: 'drain', startedAt: at(1), finishedAt: at(2.4) },
      ],
    },
    { machine: 'b', state: 'lost', phases: [{ phase: 'fetch', startedAt: at(0), finishedAt: null }] },
  ],
})
const reverted = rolloutView({
  ...{ state: 'reverted', reason: 'instance shop-4kf2m8xd-a-1 exited with status 3 before it was ready' },
  ...{ failedInstance: 'shop-4kf2m8xd-a-1', finishedAt: at(0.19) },
  machines: [
    { machine: 'a', state: 'reverted', phases: [] },
    { machine: 'b', state: 'untouched', phases: [] },
  ],
})

describe('progress lines', () => {
  it('show each phase that ended and each machine that changed since', () => {
    expect(progressLines(null, rolloutView())).toEqual([])
    expect(progressLines(rolloutView(), done)).toEqual([
      '  a  fetch    0.12 s',
      '  a  drain    1.4 s',
      '  a  done',
      '  b  lost',
    ])
    expect(progressLines(done, done)).toEqual([])
  })

  it('show once that the rollout is reverted', () => {
    const reverting = rolloutView({ state: 'reverting', reason: 'it failed' })
    expect(progressLines(rolloutView(), reverting)).toEqual(['  reverting: it failed'])
    expect(progressLines(reverting, reverting)).toEqual([])
  })

  it('are one line for each machine on a live terminal, with the time of the running phase', () => {
    expect(machineLine(done, 'a', 1, now, plain)).toBe('a  done  fetch 0.12 s · drain 1.4 s')
    expect(machineLine(done, 'b', 3, now, plain)).toBe('b    lost  fetch 10.0 s')
  })
})

describe('the outcome', () => {
  it('of a completed rollout, with a lost machine', () => {
    expect(renderOutcome(done, [], plain)).toEqual([
      'done  shop: bbbbbbbbbbbb runs on a in 2.5 s',
      'warning: not on b (lost); a machine that comes back catches up automatically: tandem status shop',
    ])
  })

  it('of a reverted rollout: reason, last lines, serving release, next step', () => {
    expect(renderOutcome(reverted, ['no database'], plain)).toEqual([
      'reverted  shop: instance shop-4kf2m8xd-a-1 exited with status 3 before it was ready (after 0.19 s)',
      '  last lines of shop-4kf2m8xd-a-1:',
      '  │ no database',
      '  release aaaaaaaaaaaa still serves (b not touched)',
      '  next  fix the service and push again; all output: tandem logs shop --instance shop-4kf2m8xd-a-1',
    ])
  })

  it('of several instances that failed at once: the lines of each together, with its reason, each text once', () => {
    const one = (slot: string, reason: string, ...lines: string[]) => {
      return { instance: `shop-4kf2m8xd-${slot}`, machine: 'a', reason, lines, hints: [] }
    }
    const shown = [
      one('a-2', 'was killed by SIGKILL', 'cannot open /var/x'),
      one('a-3', 'exited with status 3', 'no database'),
      one('a-4', 'exited with status 4'),
    ]
    const beside = { shown, more: ['shop-4kf2m8xd-a-5', 'shop-4kf2m8xd-a-6'] }
    expect(renderOutcome(reverted, ['starting', 'no database'], plain, { beside, hint: ['open /var/x'] })).toEqual([
      'reverted  shop: instance shop-4kf2m8xd-a-1 exited with status 3 before it was ready (after 0.19 s)',
      ...['  last lines of shop-4kf2m8xd-a-1:', '  │ starting', '  │ no database'],
      '  shop-4kf2m8xd-a-2 on a failed too: was killed by SIGKILL; its last lines:',
      '  │ cannot open /var/x',
      '  shop-4kf2m8xd-a-3 on a failed too: exited with status 3; it wrote the same',
      '  shop-4kf2m8xd-a-4 on a failed too: exited with status 4; it wrote nothing',
      '  2 more failed: tandem events --rollout 4kf2m8xd --failures',
      '  open /var/x',
      '  release aaaaaaaaaaaa still serves (b not touched)',
      '  next  fix the service and push again; all output: tandem logs shop --instance shop-4kf2m8xd-a-1',
    ])
  })

  it('of a first release: no instance runs', () => {
    const lines = renderOutcome({ ...reverted, previous: null, failedInstance: null }, [], plain)
    expect(lines).toContain('  no instance of the service runs')
    expect(lines.at(-1)).toBe('  next  fix the service and push again; all output: tandem logs shop')
  })

  it('of a release that a machine could not fetch: the service is not at fault', () => {
    const fetch = { phase: 'fetch' as const, startedAt: at(0), finishedAt: at(0.1) }
    const machines = [{ machine: 'a', state: 'untouched' as const, phases: [fetch] }]
    const lines = renderOutcome({ ...reverted, failedInstance: null, machines }, [], plain)
    expect(lines.at(-1)).toBe('  next  tandem doctor --cluster   finds problems of the machines; then push again')
  })

  it('of files that a machine could not fill in: what shows them', () => {
    const reason = 'machine a could not fill in the files: app.liquid:2:7: undefined variable: config.N'
    const lines = renderOutcome({ ...reverted, failedInstance: null, reason }, [], plain)
    expect(lines.at(-1)).toMatch(/^ {2}next {2}tandem render shop {3}shows the files that serve now;/)
  })

  it('warns of a machine where reverting failed', () => {
    const failed = { ...reverted, machines: [{ machine: 'a', state: 'failed' as const, phases: [] }] }
    expect(renderOutcome(failed, [], plain).join('\n')).toContain('warning: a is failed and was not reverted')
  })
})

it('shows other problems of the touched machines separately from the reason', () => {
  const problems = ['HAProxy may open 20000 files']
  const status = statusView({ machines: [machineStatus({ problems }), machineStatus({ name: 'b', problems })] })
  expect(standingProblems(status, reverted, plain)).toEqual(['  also note: machine a: HAProxy may open 20000 files'])
  expect(standingProblems(null, reverted, plain)).toEqual([])
})

it('the result has the documented form', () => {
  const { service, release, previous, rollout } = rolloutResult(done)
  expect([service, release, previous]).toEqual(['shop', 'b'.repeat(64), 'a'.repeat(64)])
  expect(Object.keys(rollout)).toEqual(
    expect.arrayContaining(['id', 'state', 'reason', 'startedAt', 'finishedAt', 'machines']),
  )
})

it('the history is a table, newest last', () => {
  expect(renderRollouts([done, reverted], now, plain)).toBe(
    `
ROLLOUT   SERVICE  STATE      WHAT                         TOOK    AGE  REASON
4kf2m8xd  shop     completed  aaaaaaaaaaaa → bbbbbbbbbbbb  2.5 s   10s
4kf2m8xd  shop     reverted   aaaaaaaaaaaa → bbbbbbbbbbbb  0.19 s  10s  instance shop-4kf2m8xd-a-1 exited with status 3 before it was ready
`.trim(),
  )
  expect(renderRollouts([], now, plain)).toBe('no rollouts yet')
})

it('one rollout has a row for each machine and a column for each phase', () => {
  expect(renderRollout(done, [], now, plain).split('\n').slice(-3)).toEqual([
    '  MACHINE  STATE  FETCH   DRAIN',
    '  a        done   0.12 s  1.4 s',
    '  b        lost   …       -',
  ])
})
