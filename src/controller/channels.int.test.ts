import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { ByteChannel, type Frame } from '../lib/byteChannel.ts'
import type { Ask } from '../protocol/ask.ts'
import { Channels, type ChannelLimits } from './channels.ts'

/** A connection with the controller: `theirs` is the end of a caller or an agent, `ours` the end of the controller. */
async function connection(): Promise<{ theirs: Socket; ours: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1') // the server listens on a port
  const [ours] = (await accepted) as [Socket]
  theirs.on('error', () => {}) // cut by the other side
  onTestFinished(() => {
    theirs.destroy()
    ours.destroy()
    server.close()
  })
  return { theirs, ours }
}

const ask: Extract<Ask, { kind: 'command' }> = {
  ...{ kind: 'command', id: 'c1', service: 'shop', release: 'a'.repeat(64), definition: aDefinition(), argv: ['ls'] },
}

function open(isConnected = true, limits: Partial<ChannelLimits> = {}) {
  const asked: Ask[] = []
  const channels = new Channels((_, question) => isConnected && asked.push(question) > 0, systemClock, limits)
  onTestFinished(() => channels.closeAll())
  return { channels, asked }
}

const framesOf = (socket: Socket): Promise<Frame[]> =>
  Array.fromAsync(new ByteChannel(socket, Buffer.alloc(0)).frames())

describe('a channel', () => {
  it('asks the machine once its caller has connected, and joins both ends', async () => {
    const { channels, asked } = open()
    channels.offer('a', ask)
    expect(asked).toEqual([])
    const [caller, agent] = [await connection(), await connection()]
    channels.call('c1', caller.ours)
    expect(asked).toEqual([ask])
    channels.checkCalled('c1', 'a')
    channels.join('c1', agent.ours)
    const [near, far] = [caller.theirs, agent.theirs].map((socket) => new ByteChannel(socket, Buffer.alloc(0)))
    if (!near || !far) throw new Error('two ends')
    await near.send({ kind: 'in', bytes: Buffer.from('to the program') })
    const frames = far.frames()
    expect((await frames.next()).value).toEqual({ kind: 'in', bytes: Buffer.from('to the program') })
    await far.send({ kind: 'exit', code: 0, signal: null })
    far.end()
    expect(await Array.fromAsync(near.frames())).toEqual([{ kind: 'exit', code: 0, signal: null }])
  })

  it.each(['caller', 'agent'] as const)('ends for the other side when its %s is cut off', async (who) => {
    const { channels } = open()
    channels.offer('a', ask)
    const ends = { caller: await connection(), agent: await connection() }
    channels.call('c1', ends.caller.ours)
    channels.join('c1', ends.agent.ours)
    const other = who === 'caller' ? ends.agent.theirs : ends.caller.theirs
    ends[who].theirs.resetAndDestroy()
    other.resume()
    await expect.poll(() => other.closed).toBe(true)
  })

  it('accepts only its own machine and only one caller, and expires', async () => {
    const { channels } = open(true, { claimMs: 10 })
    expect(() => channels.checkOffered('c1')).toThrow('no channel c1')
    channels.offer('a', ask)
    expect(() => channels.checkCalled('c1', 'a')).toThrow('no channel c1')
    const caller = await connection()
    channels.call('c1', caller.ours)
    expect(() => channels.checkOffered('c1')).toThrow('no channel c1')
    expect(() => channels.checkCalled('c1', 'b')).toThrow('no channel c1')
    expect(() => channels.checkCalled('c1', null)).toThrow('no channel c1')
    channels.offer('a', { ...ask, id: 'c2' })
    await expect.poll(() => isOffered(channels, 'c2')).toBe(false)
  })

  it.each([
    ['is not connected', { isConnected: false, limits: {} }, 'E_MACHINE_UNREACHABLE', 'is not connected'],
    ['does not answer', { isConnected: true, limits: { beginMs: 10 } }, 'E_MACHINE_UNREACHABLE', 'did not answer'],
  ])('reports to its caller that the machine %s', async (_, { isConnected, limits }, code, words) => {
    const { channels } = open(isConnected, limits)
    channels.offer('a', ask)
    const caller = await connection()
    channels.call('c1', caller.ours)
    const message = expect.stringContaining(words) as string
    expect(await framesOf(caller.theirs)).toEqual([{ kind: 'error', code, message }])
  })

  it('reports to its caller that the version of the agent has no channels', async () => {
    const { channels } = open()
    channels.offer('a', ask)
    const caller = await connection()
    channels.call('c1', caller.ours)
    expect(channels.refuse('c1', 'b')).toBe(false)
    expect(channels.refuse('c1', 'a')).toBe(true)
    expect(await framesOf(caller.theirs)).toMatchObject([{ kind: 'error', code: 'E_NO_ABILITY' }])
  })
})

function isOffered(channels: Channels, id: string): boolean {
  try {
    channels.checkOffered(id)
    return true
  } catch {
    return false
  }
}
