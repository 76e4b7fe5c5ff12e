import { expect, it } from 'vitest'
import { encodeServerSentEvent, serverSentHeartbeat } from '../../src/lib/serverSentEvents.ts'
import { eventsIn } from './eventStream.ts'

/** The bytes in pieces of at most `size`. */
const stream = (text: string, size: number): ReadableStream<Uint8Array> => {
  const bytes = new TextEncoder().encode(text)
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
}

it.each([1, 2, 3, 7, 1_000])('reads what the controller writes, in pieces of %i bytes', async (size) => {
  const data = ['{"a":1}', 'two\nlines', 'ä€😀', '']
  const text = data.map((one) => encodeServerSentEvent({ id: '7', event: 'x', data: one })).join(serverSentHeartbeat)
  const read = await Array.fromAsync(eventsIn(stream(text, size)))
  expect(read).toEqual(data)
})

it('gives the connection back when its reader leaves', async () => {
  let isCancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
    cancel: () => void (isCancelled = true),
  })
  for await (const one of eventsIn(endless)) {
    expect(one).toBe('x')
    break
  }
  expect(isCancelled).toBe(true)
})
