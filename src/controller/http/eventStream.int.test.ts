import { once } from 'node:events'
import { connect } from 'node:net'
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { EventStream, type EventStreamLimits } from './eventStream.ts'

async function serve(limits: Partial<EventStreamLimits>): Promise<{
  opened: Promise<EventStream>
  port: number
  close: () => Promise<void>
}> {
  const opened = Promise.withResolvers<EventStream>()
  const server = fastify({ forceCloseConnections: true })
  server.get('/', (request, reply) => opened.resolve(new EventStream(request, reply, systemClock, { limits })))
  await server.listen({ host: '127.0.0.1', port: 0 })
  const [address] = server.addresses()
  const port = typeof address === 'object' ? address.port : 0
  return { opened: opened.promise, port, close: () => server.close() }
}

it('cuts off a reader that leaves too much unread, and only that reader', async () => {
  const { opened, port, close } = await serve({ unreadBytes: 1024 * 1024 })
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {}) // cut off, as expected
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const stream = await opened
  socket.pause()
  const gone = once(stream.signal, 'abort')
  let sent = 0
  while (!stream.signal.aborted && sent < 64 * 1024 * 1024) {
    stream.write({ data: 'x'.repeat(64 * 1024) })
    sent += 64 * 1024
    await new Promise((resolve) => setImmediate(resolve))
  }
  await gone
  expect(sent).toBeLessThan(32 * 1024 * 1024) // the kernel's buffers and a megabyte
  await stream.room() // resolves: the stream does not wait for a reader that is gone
  stream.write({ data: 'late' })
  stream.end()
  socket.destroy()
  await close()
})

it('waits for room, sends heartbeats, and sends nothing after its end', async () => {
  const { opened, port, close } = await serve({ heartbeatMs: 5 })
  const socket = connect({ host: '127.0.0.1', port })
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const stream = await opened
  socket.pause()
  for (let i = 0; i < 200; i++) stream.write({ data: 'x'.repeat(64 * 1024) })
  let hasRoom = false
  const room = stream.room().then(() => (hasRoom = true))
  await new Promise((resolve) => setTimeout(resolve, 20)) // there is no room in this time
  expect(hasRoom).toBe(false)
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk).slice(-2_000)))
  socket.resume()
  await room
  while (!text.includes(': alive')) await once(socket, 'data')
  stream.end()
  stream.write({ data: 'late' })
  while (!text.endsWith('\r\n0\r\n\r\n')) await once(socket, 'data')
  expect(text).not.toContain('late')
  socket.destroy()
  await close()
})
