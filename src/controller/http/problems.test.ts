import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { asOperatorError, sendProblem } from './problems.ts'

it('logs a bug, but not a caller that leaves in the middle of its body', async () => {
  const logged: string[] = []
  const answered = Promise.withResolvers<string>()
  const logger = pino({}, { write: (line) => void logged.push(line) })
  const server = fastify()
  onTestFinished(() => server.close())
  server.setErrorHandler((error, request, reply) => {
    const problem = asOperatorError(error, request, logger)
    answered.resolve(problem.code)
    return sendProblem(problem, reply)
  })
  // As the calls that read a body while it arrives: answers of agents, objects.
  server.addContentTypeParser('application/x-ndjson', (_request, body, done) => done(null, body))
  server.post('/', async ({ body }) => {
    for await (const _ of body as AsyncIterable<Buffer>); // by the parser above
    throw new Error('a bug')
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo // the server listens on TCP
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  const arrived = once(server.server, 'request')
  caller.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: 100\r\n\r\n{"te')
  await arrived
  caller.destroy()
  expect(await answered.promise).toBe('E_USAGE')
  expect(logged).toEqual([])

  const { statusCode, body } = await server.inject({
    ...{ method: 'POST', url: '/', payload: 'x', headers: { 'content-type': 'application/x-ndjson' } },
  })
  expect([statusCode, JSON.parse(body)]).toEqual([500, expect.objectContaining({ code: 'E_BUG' })])
  expect(logged).toEqual([expect.stringContaining('a request failed')])
})
