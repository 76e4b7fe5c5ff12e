import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { ByteChannel, inputWindowBytes, type Frame } from '../lib/byteChannel.ts'
import { runAttached } from './runAttached.ts'
import { makeFolder } from './testing/given.ts'
import { Releases, startedAgent, type RunningAgent } from './testing/runningAgent.ts'

let folder: ReturnType<typeof makeFolder>
let one: RunningAgent
let shop: Awaited<ReturnType<Releases['publish']>>
let caller: ByteChannel
let running: Promise<void>
const sockets: Socket[] = []

beforeEach(async () => {
  folder = makeFolder('attached')
  const releases = await Releases.open(folder.path)
  shop = await releases.publish('1', {})
  one = await startedAgent(join(folder.path, 'machine'), releases, { keepLast: 0 })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await running
  await one.agent.close()
  await folder.remove()
})

async function run(): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1') // it listens on a port
  const [far] = (await accepted) as [Socket]
  server.close()
  sockets.push(near, far)
  caller = new ByteChannel(near, Buffer.alloc(0))
  const ask = { kind: 'command', id: 'q', service: 'shop', release: shop.id, definition: shop.definition } as const
  const channel = new ByteChannel(far, Buffer.alloc(0))
  running = runAttached(
    channel,
    { commands: one.commands, clock: systemClock },
    { ...ask, argv: ['x'] },
    new AbortController().signal,
  )
}

it('reports cut output when another process holds it open after the end of the program', async () => {
  one.supervisor.setProgram(() => ({ leavesOutputOpen: true, ends: { afterMs: 1, code: 0 } }))
  await run()
  const frames = await Array.fromAsync(caller.frames())
  expect(frames.at(-1)).toMatchObject({ kind: 'error', code: 'E_OUTPUT_CUT' })
})

it('reports why a program cannot start, and releases what it reserved', async () => {
  one.supervisor.setProgram(() => ({ failsStart: new Error('no such thing') }))
  await run()
  const message = 'no such thing'
  expect(await Array.fromAsync(caller.frames())).toEqual([{ kind: 'error', code: 'E_ENVIRONMENT', message }])
  expect([...one.programs.releasesInUse()]).toEqual([])
})

it('accepts more input as the program reads it, and stops a program whose caller leaves without reading', async () => {
  one.supervisor.setProgram(() => ({}))
  await run()
  const frames = caller.frames()
  expect((await frames.next()).value).toEqual({ kind: 'started' })
  const bytes = Buffer.alloc(4 * 1024)
  for (let sent = 0; sent < inputWindowBytes; sent += bytes.length) await caller.send({ kind: 'in', bytes })
  // A program that reads nothing accepts what its pipe holds, and no more.
  const first = (await frames.next()).value as Frame
  expect(first.kind).toBe('taken')
  caller.destroy()
  await running
  expect(one.supervisor.running()).toEqual([])
})

it('disconnects a caller that exceeds the window', async () => {
  one.supervisor.setProgram(() => ({}))
  await run()
  const bytes = Buffer.alloc(inputWindowBytes)
  const flood = async (): Promise<void> => {
    for (;;) await caller.send({ kind: 'in', bytes })
  }
  await expect(flood()).rejects.toThrow('closed')
  await running
})
