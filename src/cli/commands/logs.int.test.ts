import { afterEach, expect, it, vi } from 'vitest'
import { fakeController, sendEvents } from '../testing/fakeController.ts'
import { runHere } from '../testing/testHost.ts'
import { statusView } from '../testing/views.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it('reports a machine that is not connected once, retries, and gives up after the limit', async () => {
  let asked = 0
  const env = await fakeController((request, response) => {
    if (!request.url?.includes('/logs')) return void response.end(JSON.stringify(statusView()))
    asked++
    sendEvents(response, { kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'b: machine b is not connected' })
    response.end()
  })
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 5_000))
  const { code, err } = await runHere(['logs', 'shop', '-f', '--machine', 'b'], env)
  expect(code).toBe(3)
  expect(asked).toBeGreaterThan(2)
  expect(asked).toBeLessThan(8)
  expect(err.match(/not connected \(E_MACHINE_UNREACHABLE\)\nretrying\n/g)).toHaveLength(1)
  expect(err.match(/not connected/g)).toHaveLength(2)
})
