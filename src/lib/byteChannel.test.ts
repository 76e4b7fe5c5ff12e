import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ByteChannel, encodeFrame, type Frame } from './byteChannel.ts'

/** Makes both ends of one connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1') // it listens on a port
  const [other] = (await accepted) as [Socket]
  onTestFinished(() => {
    client.destroy()
    other.destroy()
    server.close()
  })
  return [client, other]
}

const none = Buffer.alloc(0)
const framesOf = (channel: ByteChannel): Promise<Frame[]> => Array.fromAsync(channel.frames())

describe('a byte channel', () => {
  it('delivers every frame unchanged, however the bytes are cut, and skips signs of life and unknown kinds', async () => {
    const frames: Frame[] = [
      { kind: 'started' },
      { kind: 'out', bytes: randomBytes(70_000) },
      { kind: 'err', bytes: Buffer.from('é\0\r\n') },
      { kind: 'in', bytes: none },
      { kind: 'inEnd' },
      { kind: 'error', code: 'E_X', message: 'why' },
      { kind: 'exit', code: null, signal: 'SIGKILL' },
    ]
    const unknown = Buffer.from([200, 0, 0, 0, 3, 1, 2, 3])
    const bytes = Buffer.concat([encodeFrame({ kind: 'alive' }), unknown, ...frames.map(encodeFrame)])
    for (const size of [1, 2, 3, 5, 7, 64, 65_536, bytes.length]) {
      const [near, far] = await pair()
      const read = framesOf(new ByteChannel(near, bytes.subarray(0, size)))
      for (let at = size; at < bytes.length; at += size === 1 ? 997 : size) {
        far.write(bytes.subarray(at, Math.min(bytes.length, at + (size === 1 ? 997 : size))))
      }
      far.end()
      expect(await read).toEqual(frames)
    }
  })

  it('holds the writer back while the reader does not read, and loses nothing', async () => {
    const [near, far] = await pair()
    const [writer, reader] = [new ByteChannel(near, none), new ByteChannel(far, none)]
    const bytes = randomBytes(64 * 1024)
    let sent = 0
    const most = 2_000
    const writing = (async () => {
      for (; sent < most; sent++) await writer.send({ kind: 'out', bytes })
      writer.end()
    })()
    // Its buffers are full once it has made no progress for many turns of the event loop.
    let before = -1
    for (let turns = 0; turns < 200; turns = before === sent ? turns + 1 : 0) {
      before = sent
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sent).toBeLessThan(most)
    let read = 0
    for await (const frame of reader.frames()) {
      if (frame.kind === 'out' && frame.bytes.equals(bytes)) read++
    }
    await writing
    expect(read).toBe(most)
  })

  it('throws when the other side falls silent, but not while the other side only has nothing to send', async () => {
    const [near, far] = await pair()
    const quiet = new ByteChannel(far, none, { aliveMs: 5 })
    const reading = framesOf(new ByteChannel(near, none, { silenceMs: 2_000 }))
    await quiet.send({ kind: 'started' })
    quiet.end() // no more signs of life, and the connection stays half-open
    expect(await reading).toEqual([{ kind: 'started' }])

    const [one, other] = await pair()
    other.pause()
    await expect(framesOf(new ByteChannel(one, none, { silenceMs: 20 }))).rejects.toThrow('no data arrived')
  })

  it('refuses a frame above the limit, and a send after the end', async () => {
    const [near, far] = await pair()
    const channel = new ByteChannel(near, none, { frameBytes: 10 })
    far.write(encodeFrame({ kind: 'out', bytes: randomBytes(11) }))
    await expect(framesOf(channel)).rejects.toThrow('above the limit')
    await expect.poll(() => channel.gone.aborted).toBe(true)
    await expect(channel.send({ kind: 'inEnd' })).rejects.toThrow('closed')
  })
})
