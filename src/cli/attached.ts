import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { channelPath } from '../api/operation.ts'
import type { ApiClient } from '../api/client.ts'
import { ChannelClosed, InputWindow, type ByteChannel } from '../lib/byteChannel.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { errorCodes, type ErrorCode } from '../lib/errorCodes.ts'
import type { Output } from './output.ts'
import type { Session } from './session.ts'

/** Exit status with which a shell reports a program that wrote to a closed pipe (SIGPIPE). */
const brokenPipe = 141

export interface Attached {
  service: string
  input: Readable
  /** Called when the program runs; the returned function is called when it does no more, however that comes. */
  begun?: (channel: ByteChannel) => () => void
}

/**
 * Connects the input, output and exit status of the program behind a byte channel to this process, byte for byte.
 * Resolves with the exit status. With `--json`, prints the output as base64 and `{"exit":…}` last.
 */
export async function attached(
  session: Session,
  client: ApiClient,
  id: string,
  { service, input, begun = () => () => {} }: Attached,
): Promise<number> {
  const { signal, host, interrupts } = session
  const channel = await client.channel(channelPath(id))
  const leave = (): void => channel.destroy()
  // A closed pipe means that output was lost. Other commands treat that as success, this one must not.
  const unread = (): void => process.exit(brokenPipe)
  host.stdout.prependListener('error', unread)
  signal.addEventListener('abort', leave)
  let isOver = false
  let ended = (): void => {}
  const started = (): void => {
    ended = begun(channel)
  }
  try {
    return await converse(session, channel, { service, input, isOver: () => isOver, started })
  } catch (error) {
    if (signal.aborted) return interrupts.exitCode()
    throw error instanceof OperatorError ? error : cut(service, error)
  } finally {
    ended()
    host.stdout.off('error', unread)
    signal.removeEventListener('abort', leave)
    isOver = true // reading the input ends with an error now
    input.destroy()
    channel.destroy()
  }
}

interface Conversation {
  service: string
  input: Readable
  isOver: () => boolean
  started: () => void
}

/** Resolves with the exit status. A stream that ends without one was cut, and is an error. */
async function converse(
  session: Session,
  channel: ByteChannel,
  { service, input, isOver, started }: Conversation,
): Promise<number> {
  const { out, signal, interrupts } = session
  const window = new InputWindow()
  for await (const frame of channel.frames()) {
    switch (frame.kind) {
      case 'started':
        started()
        sendInput(channel, input, window).catch((error: unknown) => {
          if (error instanceof ChannelClosed || isOver()) return // the reader of the other direction reports the reason
          out.warn(`could not read standard input: ${String(error)}`)
          channel.destroy()
        })
        break
      case 'out':
      case 'err':
        await show(out, frame.kind, frame.bytes)
        break
      case 'exit':
        out.object({ exit: { code: frame.code, signal: frame.signal } })
        if (frame.signal !== null) out.note(`${frame.signal} ended the command`)
        return frame.code ?? shellStatus(frame.signal)
      case 'error':
        throw failureOf(frame, service)
      case 'taken':
        window.taken(frame.bytes)
        break
      case 'in':
      case 'inEnd':
      case 'outEnd':
      case 'resize':
        break // frames of the other direction
    }
  }
  if (signal.aborted) return interrupts.exitCode()
  throw cut(service)
}

/** A fault of the machine has only the words of its system: `ENOSPC: no space left on device, write`. */
export function failureOf({ code, message }: { code: string; message: string }, service: string): OperatorError {
  const words = code === 'E_ENVIRONMENT' ? `the command could not run on its machine: ${message}` : message
  return new OperatorError(knownCode(code), words, { subject: service, next: nextAfter(code, service) })
}

function nextAfter(code: string, service: string): string {
  switch (code) {
    case 'E_NO_ABILITY':
      return 'tandem upgrade'
    case 'E_EXEC':
      return 'check the spelling; install the program on the machines, or put it into the release and name it ./PROGRAM'
    case 'E_ENVIRONMENT':
      return 'tandem doctor   examines the machines'
    default:
      return `tandem status ${service}`
  }
}

async function show(out: Output, stream: 'out' | 'err', bytes: Buffer): Promise<void> {
  if (out.json) out.object({ stream, data: bytes.toString('base64') })
  else out.raw(stream, bytes)
  await out.room(stream)
}

/** `input` yields bytes or text. */
export async function sendInput(
  channel: ByteChannel,
  input: AsyncIterable<unknown>,
  window: InputWindow,
): Promise<void> {
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    let rest = Buffer.from(chunk)
    while (rest.length > 0) {
      const bytes = rest.subarray(0, await window.room())
      rest = rest.subarray(bytes.length)
      window.sent(bytes.length)
      await channel.send({ kind: 'in', bytes })
    }
  }
  await channel.send({ kind: 'inEnd' })
}

const cut = (service: string, cause?: unknown): OperatorError =>
  new OperatorError('E_OUTPUT_CUT', 'the connection broke before the command ended; its output is incomplete', {
    subject: service,
    next: `tandem logs ${service} --since 5m   shows how the command ended; it received its stop signal`,
    cause,
  })

/** Exit status as a shell reports it: 128 plus the number of the signal. */
function shellStatus(name: string | null): number {
  const known: Record<string, number> = constants.signals
  return 128 + (known[name ?? ''] ?? 0)
}

const knownCode = (code: string): ErrorCode => (code in errorCodes ? (code as ErrorCode) : 'E_BUG') // checked by `in`
