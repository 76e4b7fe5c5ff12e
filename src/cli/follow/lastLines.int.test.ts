import { expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { fakeController } from '../testing/fakeController.ts'
import { lastLines } from './lastLines.ts'

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
