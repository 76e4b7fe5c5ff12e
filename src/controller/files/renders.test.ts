import { expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import type { Answer } from '../../protocol/ask.ts'
import { Renders } from './renders.ts'

const variables = {
  cluster: { name: 'c' },
  machine: { name: 'a', address: '10.0.0.1' },
  service: { name: 'shop', release: 'f'.repeat(64) },
  config: {},
}

function answering(...answers: Answer[]): Promise<Record<string, string>> {
  const renders = new Renders({ controller: { clock: systemClock, newId: () => 'k1' } })
  renders.start({
    ask: async function* () {
      yield* answers
    },
  })
  return renders.ask('a', { release: 'f'.repeat(64), files: {}, secrets: [], variables })
}

it('resolves with the texts', async () => {
  expect(await answering({ kind: 'rendered', files: { a: 'A' } }, { kind: 'end' })).toEqual({ a: 'A' })
})

it.each([
  ['E_TEMPLATE', 'E_TEMPLATE', 'correct the template'],
  ['E_RELEASE_GONE', 'E_RELEASE_GONE', 'tandem machines'],
  ['E_OF_TOMORROW', 'E_ENVIRONMENT', 'tandem machines'],
])('blames the template only for its own problems: %s', async (code, thrown, next) => {
  await expect(answering({ kind: 'error', code, message: 'no' })).rejects.toMatchObject({
    ...{ code: thrown, message: 'no', next: expect.stringContaining(next) as string },
  })
})

it('says that a machine did not answer', async () => {
  await expect(answering({ kind: 'end' })).rejects.toMatchObject({ code: 'E_MACHINE_UNREACHABLE' })
})
