import { describe, expect, it } from 'vitest'
import { nextChange, type Life } from './life.ts'
import type { UnitState } from '../../../systemd/systemctl.ts'

const running: Life = { pid: 7, invocation: 'one', running: true }
const gone: Life = { ...running, running: false }
const state = (changed: Partial<UnitState>): UnitState => ({
  ...{ loaded: true, sub: 'running', mainPid: 7, lastPid: 7, code: 0, status: 0, result: 'success' },
  ...{ invocation: 'one', controlGroup: '/x', startedMs: 0, restarts: 0 },
  ...changed,
})
const crashed = state({ sub: 'auto-restart', mainPid: 0, code: 1, status: 3, result: 'exit-code' })

describe('changes of an instance, from the state that systemd reports', () => {
  it('none while it runs or while processes it started are still being stopped', () => {
    expect(nextChange(running, state({}), undefined)).toBeNull()
    expect(nextChange(running, state({ sub: 'final-sigterm', mainPid: 0, code: 1 }), undefined)).toBeNull()
    expect(nextChange(gone, crashed, undefined)).toBeNull()
  })
  it.each([
    [crashed, { code: 3, signal: null, reason: 'exit' }],
    [state({ sub: 'failed', mainPid: 0, code: 2, status: 9 }), { code: null, signal: 'SIGKILL', reason: 'signal' }],
    [
      state({ sub: 'auto-restart', mainPid: 0, code: 2, status: 9, result: 'oom-kill' }),
      { signal: 'SIGKILL', reason: 'oom' },
    ],
    [state({ sub: 'dead', mainPid: 0, code: 1, status: 0 }), { code: 0, signal: null, reason: 'exit' }],
  ])('an end: %o', (seen, ending) => {
    expect(nextChange(running, seen, undefined)).toEqual({
      kind: 'ended',
      ending: expect.objectContaining({ pid: 7, ...ending }),
    })
  })
  it('an ended life and the next life are reported one after the other, with the status from the signal', () => {
    const other = state({ invocation: 'two', mainPid: 8, lastPid: 8 })
    const told = { pid: 7, code: 2, status: 11, result: 'signal' }
    expect(nextChange(running, other, told)).toMatchObject({ kind: 'ended', ending: { pid: 7, signal: 'SIGSEGV' } })
    expect(nextChange(running, other, { ...told, pid: 6 })).toMatchObject({
      ending: { code: null, signal: null },
    })
    expect(nextChange(running, other, { ...told, code: 2, status: 9, result: 'oom-kill' })).toMatchObject({
      ending: { signal: 'SIGKILL', reason: 'oom' },
    })
    const began = nextChange(gone, other, told)
    expect(began).toEqual({ kind: 'began', life: { pid: 8, invocation: 'two', running: true } })
    const endedToo = { ...other, sub: 'auto-restart', mainPid: 0, code: 1, status: 1 }
    expect(nextChange(gone, endedToo, undefined)).toEqual(began)
    expect(nextChange({ pid: 8, invocation: 'two', running: true }, endedToo, undefined)).toMatchObject({
      ending: { code: 1 },
    })
  })
  it('a life that is about to begin has not begun', () => {
    expect(nextChange(gone, state({ invocation: 'two', sub: 'start-pre', mainPid: 0 }), undefined)).toBeNull()
  })
  it.each([
    ['of the program', { lastPid: 8, code: 1, status: 243 }],
    ['of the command before it', { lastPid: 0, code: 0, status: 0 }],
  ])('a unit whose credentials do not open is given up at a start %s, once its last life has ended', (_, about) => {
    const broken = state({ ...{ invocation: 'two', sub: 'auto-restart', mainPid: 0, result: 'exit-code' }, ...about })
    expect(nextChange(running, broken, undefined)).toMatchObject({ kind: 'ended' })
    expect(nextChange(gone, broken, undefined)).toEqual({ kind: 'gaveUp' })
    // A person has stopped it.
    expect(nextChange(gone, { ...broken, sub: 'dead' }, undefined)?.kind).not.toBe('gaveUp')
  })
  it('a unit that systemd no longer knows has ended', () => {
    expect(nextChange(running, undefined, undefined)).toMatchObject({ kind: 'ended', ending: { code: null } })
  })
})
