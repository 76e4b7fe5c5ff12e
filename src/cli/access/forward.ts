import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { ApiClient } from '../../api/client.ts'
import { channelPath } from '../../api/operation.ts'
import { InputWindow, type ByteChannel } from '../../lib/byteChannel.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { failureOf, sendInput } from '../attached.ts'
import type { CommonFlags, Session } from '../session.ts'

const host = '127.0.0.1'
/** More than a browser and a pool of a database client open; each is a connection through the controller. */
const mostConnections = 256

export async function forwardPort(session: Session, _: CommonFlags, target: string, ports: string): Promise<number> {
  const { out, signal, interrupts } = session
  const { local, port } = portsOf(ports)
  const { client, status } = await session.announce(`forward port ${port} of ${target}`)
  const isService = status.services.some(({ service }) => service === target)
  const named = isService ? { service: target } : { instance: target }
  const server = await listen(local, { target, port })
  const connections = new Set<Socket>()
  const close = (): void => {
    server.close()
    for (const socket of connections) socket.destroy()
  }
  signal.addEventListener('abort', close)
  try {
    const opening = client.call('openForward', { body: { ...named, port } }, signal)
    // The port takes connections already: one that comes before the answer waits for it.
    server.on('connection', (socket: Socket) => {
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
      socket.on('error', () => {}) // the close event follows
      const carried = opening.then(({ access, service }) => carry(session, client.apart(), { access, service, socket }))
      carried.catch(() => socket.destroy())
    })
    const opened = await opening
    const { access, service } = opened
    const held = await client.channel(channelPath(opened.channel))
    signal.addEventListener('abort', () => held.destroy())
    const listening = { address: host, port: (server.address() as AddressInfo).port } // it listens on a port
    out.result(
      { listening, access, service, instance: opened.instance, port },
      () => `${host}:${listening.port} leads to port ${port} of ${opened.instance ?? service}; Ctrl-C ends it`,
    )
    await untilOver(held)
    if (signal.aborted) return interrupts.exitCode()
    throw new OperatorError('E_OUTPUT_CUT', 'the connection to the controller broke, and with it the forward', {
      ...{ subject: target, next: `tandem forward ${target} ${ports}` },
    })
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}

function portsOf(text: string): { local: number; port: number } {
  const [, local, port] = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text) ?? []
  const there = Number(port)
  const here = local === undefined ? there : Number(local)
  if (there >= 1 && there <= 65_535 && here <= 65_535) return { local: here, port: there }
  throw new OperatorError('E_USAGE', `"${text}" is not [LOCAL:]PORT`, {
    ...{ subject: 'tandem forward', next: 'write 5432, or 15432:5432 for another port here' },
  })
}

async function listen(local: number, { target, port }: { target: string; port: number }): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(local, host)
  server.maxConnections = mostConnections
  try {
    await once(server, 'listening')
    return server
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // of the system
    const why = code === 'EADDRINUSE' ? 'another process listens there' : (code ?? String(cause))
    const free = local < 50_000 ? local + 10_000 : 0
    throw new OperatorError('E_PORT_TAKEN', `cannot listen on ${host}:${local}: ${why}`, {
      ...{ subject: String(local), next: `tandem forward ${target} ${free}:${port}`, cause },
    })
  }
}

async function untilOver(held: ByteChannel): Promise<void> {
  try {
    for await (const _ of held.frames()) continue
  } catch {
    // It broke, or fell silent.
  }
  held.destroy()
}

/** Carries one connection. A failure ends it, and is a warning. Never rejects. */
async function carry(
  { out, signal }: Session,
  client: ApiClient,
  { access, service, socket }: { access: string; service: string; socket: Socket },
): Promise<void> {
  let channel: ByteChannel | null = null
  try {
    const opened = await client.call('openConnection', { params: { access }, body: {} }, signal)
    const carrying = await client.channel(channelPath(opened.channel))
    channel = carrying
    socket.once('close', () => carrying.destroy())
    await converse(carrying, socket, service)
  } catch (error) {
    if (!signal.aborted && error instanceof OperatorError) out.warn(error.message)
    socket.destroy()
    channel?.destroy()
  }
}

async function converse(channel: ByteChannel, socket: Socket, service: string): Promise<void> {
  const window = new InputWindow()
  for await (const frame of channel.frames()) {
    if (frame.kind === 'started')
      sendInput(channel, socket.iterator({ destroyOnReturn: false }), window).catch(() => socket.destroy())
    else if (frame.kind === 'out') {
      if (!socket.write(frame.bytes) && !socket.destroyed)
        await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    } else if (frame.kind === 'outEnd') socket.end()
    else if (frame.kind === 'taken') window.taken(frame.bytes)
    else if (frame.kind === 'exit') return
    else if (frame.kind === 'error') throw failureOf(frame, service)
  }
  socket.destroy()
}
