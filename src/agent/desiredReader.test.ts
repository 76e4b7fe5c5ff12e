import { expect, it } from 'vitest'
import { z } from 'zod'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'
import { DesiredReader } from './desiredReader.ts'
import { aDesiredState } from './testing/given.ts'

const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
const state = (definitions: DesiredState['definitions'], position = 1): DesiredState => ({
  ...aDesiredState(),
  ...{ definitions, position },
})
const whole = (message: string): DesiredState => desiredStateSchema.parse(JSON.parse(message))

it('reads what the schema reads, message after message, and builds an unchanged definition only once', () => {
  const reader = new DesiredReader()
  const messages = [
    state({ [one]: aDefinition() }),
    state({ [one]: aDefinition(), [two]: aDefinition({ env: { B: '2' } }) }, 2),
    state({ [two]: aDefinition({ env: { B: '2' } }), [one]: aDefinition({ env: { A: 'changed' } }) }, 3),
    state({}, 4),
    state({ [one]: aDefinition() }, 5),
  ].map((message) => JSON.stringify(message))
  const read = messages.map((message) => reader.read(message))
  expect(read).toEqual(messages.map(whole))
  expect(Object.keys(read[2]?.definitions ?? {})).toEqual([two, one])
  expect(read[1]?.definitions[one]).toBe(read[0]?.definitions[one])
  expect(read[2]?.definitions[two]).toBe(read[1]?.definitions[two])
  expect(read[4]?.definitions[one]).not.toBe(read[0]?.definitions[one])
})

it.each([
  ['a definition with an unknown key', { definitions: { [one]: { ...aDefinition(), news: 1 } } }],
  ['a definition under a name that is no release id', { definitions: { nonsense: aDefinition() } }],
  ['no definitions', { definitions: null }],
  ['another machine type', { machine: 7 }],
])('refuses %s as the schema does, and reads the next message', (_, wrong) => {
  const reader = new DesiredReader()
  const right = JSON.stringify(state({ [one]: aDefinition() }))
  reader.read(right)
  const message = JSON.stringify({ ...state({}), ...wrong })
  expect(desiredStateSchema.safeParse(JSON.parse(message)).success).toBe(false)
  expect(() => reader.read(message)).toThrow(z.ZodError)
  expect(reader.read(right)).toEqual(whole(right))
})
