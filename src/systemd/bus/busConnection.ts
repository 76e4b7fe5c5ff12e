import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  decodeMessage,
  encodeCall,
  fixedHeaderBytes,
  messageBytes,
  type BusCall,
  type BusMessage,
} from './busMessage.ts'

export const systemBus = '/run/dbus/system_bus_socket'
/** Timeout for an answer of the bus. */
const answerMs = 10_000
/** systemd's signals are a few kilobytes. */
const longestMessage = 1024 * 1024

export interface BusConnection {
  call(call: BusCall): Promise<BusMessage>
  /** Resolves when the abort signal ended the connection; rejects with the reason when it ended otherwise. */
  over: Promise<void>
}

/** Connects to a bus as the user of this process. `heard` receives every signal that arrives. */
export async function connectBus(
  path: string,
  heard: (message: BusMessage) => void,
  signal: AbortSignal,
): Promise<BusConnection> {
  const socket = connect({ path, signal })
  const deadline = AbortSignal.timeout(answerMs)
  await once(socket, 'connect', { signal: deadline })
  const rest = await authenticate(socket, deadline)
  const waiting = new Map<number, (message: BusMessage) => void>()
  const { promise: over, resolve, reject } = Promise.withResolvers<void>()
  over.catch(() => {}) // callers that wait for `over` get the error
  const fail = (error: unknown): void => {
    socket.destroy()
    if (signal.aborted) resolve()
    else reject(error instanceof Error ? error : new Error(String(error)))
  }
  const take = framesOf((bytes) => {
    const message = decodeMessage(bytes)
    if (message.kind === 'signal') return heard(message)
    waiting.get(message.replyTo)?.(message)
    waiting.delete(message.replyTo)
  })
  const receive = (chunk: Buffer): void => {
    try {
      take(chunk)
    } catch (error) {
      fail(error)
    }
  }
  socket.on('data', receive)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`${path} closed the connection`)))
  receive(rest)
  let serial = 0
  return {
    over,
    call: async (call) => {
      const number = ++serial
      const answered = new Promise<BusMessage>((take) => waiting.set(number, take))
      socket.write(encodeCall(call, number))
      const late = AbortSignal.timeout(answerMs)
      const answer = await Promise.race([answered, over.then(() => null), once(late, 'abort').then(() => null)])
      if (!answer) throw new Error(`${call.destination} did not answer ${call.member}`)
      if (answer.kind === 'error') throw new Error(`${call.member}: ${String(answer.body[0] ?? answer.errorName)}`)
      return answer
    },
  }
}

/** SASL with the number of the user, which the kernel confirms to the bus. Returns the bytes after the last line. */
async function authenticate(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  const user = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
  socket.write(`\0AUTH EXTERNAL ${user}\r\n`)
  let said: Buffer = Buffer.alloc(0)
  while (!said.includes('\n')) {
    const [chunk] = (await once(socket, 'data', { signal })) as [Buffer] // no encoding is set
    said = Buffer.concat([said, chunk])
  }
  const end = said.indexOf('\n')
  const line = said.toString('latin1', 0, end).trim()
  if (!line.startsWith('OK ')) throw new Error(`the bus refuses this user: ${line}`)
  socket.write('BEGIN\r\n')
  return said.subarray(end + 1)
}

/** Cuts a stream into messages. */
function framesOf(whole: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= fixedHeaderBytes) {
      const length = messageBytes(held)
      if (length > longestMessage) throw new Error(`a message of ${length} bytes on the bus`)
      if (held.length < length) return
      const message = held.subarray(0, length)
      held = held.subarray(length)
      whole(message)
    }
  }
}
