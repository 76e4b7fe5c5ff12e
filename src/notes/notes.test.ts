import { describe, expect, it } from 'vitest'
import { given } from '../decider/testing/given.ts'

const note =
  (text: string | null, machine = 'a') =>
  (): { type: 'NoteMachine'; machine: string; text: string | null } => ({
    type: 'NoteMachine',
    machine,
    text,
  })

describe('a note on a machine', () => {
  it('is kept until another one replaces it, or it is removed', () => {
    const then = given('a', 'b').when(note('disk is replaced on Monday'))
    expect(then.world.state.notes).toEqual({ a: { text: 'disk is replaced on Monday', at: then.world.now } })
    then.world.now += 60_000
    then.when(note('disk is replaced'))
    expect(then.world.state.notes['a']).toEqual({ text: 'disk is replaced', at: then.world.now })
    expect(then.when(note(null)).world.state.notes).toEqual({})
  })

  it('that stands there already changes nothing', () => {
    const then = given('a').when(note('mind the fan'))
    expect(then.when(note('mind the fan')).decision).toEqual({ type: 'nothing' })
    expect(then.when(note(null)).when(note(null)).decision).toEqual({ type: 'nothing' })
  })

  it('is refused for a machine that the cluster does not have, and goes with the machine', () => {
    const then = given('a', 'b').when(note('loud', 'c'))
    expect(then.decision).toMatchObject({ code: 'E_NO_SUCH_MACHINE', next: 'machines: a, b' })
    then.when(note('loud'))
    then.world.append({ type: 'MachineRemoved', data: { machine: 'a' } })
    expect(then.world.state.notes).toEqual({})
  })
})
