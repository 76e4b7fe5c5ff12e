import { expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { fakeController } from '../testing/fakeController.ts'
import { lastLines, lastLinesOfFailure } from './lastLines.ts'

it.each([
  ['E_NO_SUCH_INSTANCE', '(no machine keeps this output)'],
  ['E_FORBIDDEN', '(cannot read the output of the instance: no)'],
])('of an instance whose output is refused with %s are the reason', async (code, line) => {
  const { TANDEM_URL: url, TANDEM_TOKEN: token } = await fakeController((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ type: 'x', title: 'no', status: 404, detail: 'no', code, subject: null, next: null }))
  })
  const { signal } = new AbortController()
  expect(await lastLines(new ApiClient({ url, token }), 'shop', 'shop-x-prepare', 3, signal)).toEqual([line])
})

it('of an instance that failed are those that its machine sent then, if the controller has them', async () => {
  const { TANDEM_URL: url, TANDEM_TOKEN: token } = await fakeController((request, response) => {
    const about = { instance: 'shop-x', service: 'shop', machine: 'a', release: 'r', reason: 'exited', cut: false }
    const lines = ['one', 'two', 'three'].map((text) => ({ at: '2026-11-29T00:00:00.000Z', stream: 'out', text }))
    if (!request.url?.endsWith('/last-words/shop-x')) throw new Error(request.url)
    response.end(JSON.stringify({ ...about, at: '2026-11-29T00:00:00.000Z', lines, hints: ['open it'] }))
  })
  const { signal } = new AbortController()
  const last = await lastLinesOfFailure(new ApiClient({ url, token }), 'shop', 'shop-x', 2, signal)
  expect(last).toEqual({ lines: ['two', 'three'], hints: ['open it'] })
})
