import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { LoadGenerator, type LoadReport } from './loadGenerator.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Generates load on one entry until `answer` has received that many short requests. */
async function loaded(enough: number, answer: RequestListener): Promise<LoadReport> {
  const seen = Promise.withResolvers<void>()
  let requests = 0
  server = createServer((request, response) => {
    if (request.url !== '/') return setTimeout(() => response.setHeader('x-release', 'slow').end(), 50)
    if (++requests === enough) seen.resolve()
    return answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const load = new LoadGenerator([`http://127.0.0.1:${port}`])
  await seen.promise
  return load.stop()
}

it('counts the answers, and the release of each', async () => {
  const report = await loaded(20, (_request, response) => response.setHeader('x-release', 'one').end('hello'))
  expect([report.failed, report.failures]).toEqual([0, []])
  expect(report.releases['one']).toBeGreaterThanOrEqual(20)
  expect(report.requests).toBe(Object.values(report.releases).reduce((sum, many) => sum + many, 0))
})

it('counts as failed: another status, a cut connection, an incomplete body', async () => {
  let turn = 0
  const report = await loaded(12, (_request, response) => {
    turn++
    if (turn === 2) response.writeHead(503).end()
    else if (turn === 4) response.destroy()
    else if (turn === 6) {
      response.writeHead(200, { 'content-length': '100' })
      response.write('short', () => response.destroy())
    } else response.end()
  })
  expect(report.failed).toBe(3)
  expect(report.failures.join('\n')).toMatch(/status 503[^]*socket hang up[^]*aborted/)
})
