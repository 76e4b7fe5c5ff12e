import { afterEach, expect, it, vi } from 'vitest'
import { fakeController, sendEvents } from '../testing/fakeController.ts'
import { runHere } from '../testing/testHost.ts'
import { statusView } from '../testing/views.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it('reports a machine that is not connected once, retries, and gives up after the limit', async () => {
  let [asked, now] = [0, 0]
  const env = await fakeController((request, response) => {
    if (!request.url?.includes('/logs')) return void response.end(JSON.stringify(statusView()))
    asked++
    // Time passes only with the tries: other code of this process asks the clock too.
    now += 10_000
    sendEvents(response, { kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'b: machine b is not connected' })
    response.end()
  })
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const { code, err } = await runHere(['logs', 'shop', '-f', '--machine', 'b'], env)
  expect(code).toBe(3)
  expect(asked).toBeGreaterThan(2)
  expect(asked).toBeLessThan(8)
  expect(err.match(/not connected \(E_MACHINE_UNREACHABLE\)\nretrying\n/g)).toHaveLength(1)
  expect(err.match(/not connected/g)).toHaveLength(2)
})

const failed = {
  ...{ instance: 'shop-b-x', service: 'shop', machine: 'b', release: 'r', reason: 'exited with 1', cut: true },
  ...{ at: '2026-11-29T02:00:00.000Z' },
  lines: [{ at: '2026-11-29T01:59:59.900Z', stream: 'err', text: 'no database' }],
}

/** A controller whose machines keep no output of the instance: it refuses, or reports a machine that is away. */
function forgetful(logs: 'refuses' | 'away', words: object | null) {
  const problem = (code: string): string =>
    JSON.stringify({ type: 'x', title: 'no', status: 404, detail: 'gone', code, subject: null, next: null })
  return fakeController((request, response) => {
    const refuse = (code: string): void => {
      response.writeHead(404, { 'content-type': 'application/problem+json' })
      response.end(problem(code))
    }
    if (request.url?.includes('/last-words/shop-b')) {
      return words ? void response.end(JSON.stringify(words)) : refuse('E_NO_SUCH_INSTANCE')
    }
    if (!request.url?.includes('/logs')) return void response.end(JSON.stringify(statusView()))
    if (logs === 'refuses') return refuse('E_NO_SUCH_INSTANCE')
    sendEvents(response, { kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'b: machine b is not connected' })
    response.end()
  })
}

it.each([
  ['refuses', 0],
  ['away', 1],
] as const)('shows the lines that a machine sent when the instance failed, where it %s', async (logs, exit) => {
  const env = await forgetful(logs, failed)
  const { code, out, err } = await runHere(['logs', 'shop', '--instance', 'shop-b'], env)
  expect(code).toBe(exit)
  expect(out).toBe('01:59:59.900 shop-b-x ┃ no database\n')
  expect(err).toContain(
    'machine b sent these lines when shop-b-x failed at 2026-11-29T02:00:00Z; earlier ones are not kept:',
  )
})

it('refuses an instance of which nothing is kept anywhere', async () => {
  const { code, err } = await runHere(['logs', 'shop', '--instance', 'shop-b'], await forgetful('refuses', null))
  expect([code, err.includes('E_NO_SUCH_INSTANCE')]).toEqual([4, true])
})
