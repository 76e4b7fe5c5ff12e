import { expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { fakeController } from '../testing/fakeController.ts'
import { at, rolloutView } from '../testing/views.ts'
import { failedBeside } from './failedBeside.ts'

const instance = (slot: number, rollout = '4kf2m8xd'): string => `shop-${rollout}-a-${slot}`
const reverted = rolloutView({ state: 'reverted', failedInstance: instance(1) })
const { signal } = new AbortController()

/** A controller whose log has these failures, oldest first. */
async function failures(...all: [instance: string, reason: string][]): Promise<{ client: ApiClient; asked: string[] }> {
  const asked: string[] = []
  const { TANDEM_URL: url, TANDEM_TOKEN: token } = await fakeController((request, response) => {
    asked.push(request.url ?? '')
    const words = /\/last-words\/(.*)$/.exec(request.url ?? '')
    if (words === null) {
      const events = all.map(([one, reason], index) => ({
        ...{ position: index + 1, at: at(index), type: 'InstanceFailed' },
        data: { instance: one, machine: 'a', reason, mark: { boot: 1, seq: 1 } },
      }))
      return void response.end(JSON.stringify({ events: events.toReversed(), next: null, position: all.length }))
    }
    const lines = Array.from({ length: 12 }, (_, n) => ({ at: at(n), stream: 'out', text: `${words[1]} says ${n}` }))
    const about = { instance: words[1], service: 'shop', machine: 'a', release: 'r', reason: '', cut: false }
    response.end(JSON.stringify({ ...about, at: at(0), lines, hints: ['open it'] }))
  })
  return { client: new ApiClient({ url, token }), asked }
}

it('finds the other instances of a rollout that failed, each once with its first reason and its own lines', async () => {
  const { client, asked } = await failures(
    ...[1, 2, 3, 2, 4, 5].map((slot, index): [string, string] => [instance(slot), `reason ${index}`]),
    [instance(1, 'earlier1'), 'of the release before'],
  )
  const { shown, more } = await failedBeside(client, reverted, signal)
  expect(shown.map(({ instance: one, machine, reason, hints }) => [one, machine, reason, hints])).toEqual([
    [instance(2), 'a', 'reason 1', ['open it']],
    [instance(3), 'a', 'reason 2', ['open it']],
  ])
  expect(shown.map(({ lines }) => [lines.length, lines.at(-1)])).toEqual([
    [10, `${instance(2)} says 11`],
    [10, `${instance(3)} says 11`],
  ])
  expect(more).toEqual([instance(4), instance(5)])
  expect(asked[0]).toContain('rollout=4kf2m8xd')
})

it('finds none where the controller cannot search, or no instance failed', async () => {
  const { TANDEM_URL: url, TANDEM_TOKEN: token } = await fakeController((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end('{}')
  })
  const none = { shown: [], more: [] }
  expect(await failedBeside(new ApiClient({ url, token }), reverted, signal)).toEqual(none)
  expect(await failedBeside(new ApiClient({ url, token }), rolloutView(), signal)).toEqual(none)
})
