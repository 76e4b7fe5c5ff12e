import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../src/lib/testing/until.ts'
import type { Command } from '../system/commandLine.ts'
import { Assembled } from './assembled.ts'

/** Answers with everything that it read, once its reader has ended; `web` answers at once. */
const program = `
require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
  const parts = []
  socket.on('error', () => {}).on('data', (part) => parts.push(part)).on('end', () => socket.end(Buffer.concat(parts)))
}).listen(Number(process.env.PORT), '127.0.0.1')
`

describe('a forward on a laptop', () => {
  let laptop: Assembled
  const commands: Command[] = []
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
    const definition = `service: echo\nrun: [node, -e, ${JSON.stringify(program)}]\nlisten: tcp\nroutes: [{ port: 27070 }]\n`
    expect(await laptop.json('push', laptop.service('echo', definition))).toMatchObject({ exit: 0 })
  })
  afterAll(async () => {
    for (const command of commands) command.kill('SIGINT')
    await laptop?.remove()
  })

  /** Resolves with the port here. */
  async function forward(...args: string[]): Promise<{ port: number; command: Command; end: Promise<number> }> {
    const command = laptop.spawn('forward', ...args, '--json')
    commands.push(command)
    let text = ''
    command.stdout?.on('data', (chunk) => (text += String(chunk)))
    const end = once(command, 'close').then(([code]) => code as number) // the arguments of 'close'
    await until(() => expect(text).toContain('\n'))
    const { listening } = JSON.parse(text) as { listening: { port: number } }
    return { port: listening.port, command, end }
  }

  async function call(port: number, sent: Uint8Array): Promise<Buffer> {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(sent)
    return Buffer.concat((await socket.toArray()) as Buffer[])
  }

  it('carries many connections at once, byte for byte, each direction ending on its own', async () => {
    const { port } = await forward('echo', '0:27070')
    const sent = [1, 70_000, 2_000_000, 300_000, 5].map((size) => randomBytes(size))
    const got = await Promise.all(sent.map((bytes) => call(port, bytes)))
    expect(got.map((bytes, index) => bytes.equals(sent[index] ?? Buffer.alloc(0)))).toEqual(sent.map(() => true))
  })

  it('is recorded once, from its start to its end, however many connections it had', async () => {
    const { port, command, end } = await forward('echo', '0:27070')
    await call(port, Buffer.from('one'))
    await call(port, Buffer.from('two'))
    command.kill('SIGINT')
    expect(await end).toBe(130)
    const recorded = async () =>
      (await laptop.run('events', '--json')).out
        .map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> })
        .filter(({ type }) => type.startsWith('Access'))
    await until(async () => expect((await recorded()).at(-1)).toMatchObject({ type: 'AccessEnded' }))
    expect((await recorded()).slice(-2)).toMatchObject([
      { type: 'AccessStarted', data: { kind: 'forward', service: 'echo', instance: null, port: 27_070 } },
      { type: 'AccessEnded', data: { how: 'left' } },
    ])
    await expect(call(port, Buffer.from('after'))).rejects.toThrow(/ECONNREFUSED/)
  })

  it('leads to the ports of an instance alone, and closes a connection to any other', async () => {
    const other = createServer((socket) => socket.end('not for you')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const foreign = (other.address() as AddressInfo).port // it listens on a port
    const { port, command } = await forward('echo', `0:${foreign}`)
    let err = ''
    command.stderr?.on('data', (chunk) => (err += String(chunk)))
    expect((await call(port, Buffer.from('x')).catch(() => Buffer.alloc(0))).toString()).toBe('')
    await until(() => expect(err).toContain(`does not listen on port ${foreign}`))
    other.close()
  })

  it('says which port to take when the one here is taken, and refuses what it cannot read', async () => {
    const { port } = await forward('echo', '0:27070')
    const taken = await laptop.run('forward', 'echo', `${port}:27070`)
    expect([taken.code, taken.err]).toEqual([
      4,
      expect.stringMatching(/another process listens there[^]*tandem forward echo \d+:27070/),
    ])
    expect((await laptop.run('forward', 'echo', 'x:1')).code).toBe(2)
    expect((await laptop.run('forward', 'nobody', '0:80')).code).toBe(4)
  })
})
