import type { Readable, Writable } from 'node:stream'
import { inputWindowBytes, type ByteChannel } from '../lib/byteChannel.ts'
import { pause } from '../lib/backoff.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { ProgramStreams } from '../drivers/supervisor/supervisor.ts'
import { commandInstance, type Ask } from '../protocol/ask.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'

/**
 * How long after the program's end, or after the last output, output is given up that another process still holds open.
 */
const heldOpenMs = 2_000

/**
 * Runs a one-off command over a byte channel. The caller at the other end owns the standard streams. When the caller
 * leaves, the program gets its stop signal. Resolves when the command has ended; failures are reported over the
 * channel.
 */
export async function runAttached(
  channel: ByteChannel,
  launcher: ReleaseLauncher,
  ask: Extract<Ask, { kind: 'command' }>,
  signal: AbortSignal,
): Promise<void> {
  const { service, release, definition, argv, id } = ask
  const over = new AbortController()
  const left = AbortSignal.any([signal, channel.gone, over.signal])
  const stdin = Promise.withResolvers<Writable>()
  const reading = takeInput(channel, stdin.promise).finally(() => over.abort())
  try {
    const start = await launcher.attached({ id: commandInstance(service, id), release, definition }, argv, left)
    const { ended, streams } = await launcher.begin(start, left)
    if (!streams) throw new Error('the supervisor gave an attached program no streams')
    stdin.resolve(streams.stdin)
    // A caller that has left is noticed at the next send or read; `left` then ends the program.
    await channel.send({ kind: 'started' }).catch(() => {})
    const isWhole = await sendOutput(channel, streams, ended)
    streams.stdin.destroy()
    const { code, signal: by } = await ended
    if (isWhole) await channel.send({ kind: 'exit', code, signal: by })
    else await channel.send(outputCut)
  } catch (error) {
    const code = error instanceof OperatorError ? error.code : 'E_ENVIRONMENT'
    const message = error instanceof Error ? error.message : String(error)
    await channel.send({ kind: 'error', code, message }).catch(() => {}) // the caller has left
  } finally {
    channel.end()
    await reading
  }
}

const outputCut = {
  kind: 'error',
  code: 'E_OUTPUT_CUT',
  message:
    'the program has ended, but another process still holds its output open: the end of the output may be missing',
} as const

/** Passes on the caller's input until the caller closes it. The window limits how much input may be in transit. */
async function takeInput(channel: ByteChannel, stdin: Promise<Writable>): Promise<void> {
  try {
    for await (const frame of channel.frames()) {
      if (frame.kind === 'in') {
        const input = await stdin
        if (input.writableLength + frame.bytes.length > 2 * inputWindowBytes)
          throw new Error('the caller sent more input than the window allows')
        feed(input, frame.bytes, () => void channel.send({ kind: 'taken', bytes: frame.bytes.length }).catch(() => {}))
      } else if (frame.kind === 'inEnd') (await stdin).end()
    }
  } catch {
    // The caller left, fell silent, or violated the protocol.
  }
  channel.destroy()
}

/** A program that has closed its input does not need the rest. */
function feed(input: Writable, bytes: Buffer, taken: () => void): void {
  if (input.writable) input.write(bytes, taken)
  else taken()
}

/**
 * Returns false if the program has ended and another process still holds its output open. Throws when the caller has
 * left.
 */
async function sendOutput(channel: ByteChannel, streams: ProgramStreams, ended: Promise<unknown>): Promise<boolean> {
  const { stdout, stderr } = streams
  let sending = 0
  let quietSince = 0
  let isHeldOpen = false
  const stop = (): void => {
    stdout.destroy()
    stderr.destroy()
  }
  const send = async (source: Readable, kind: 'out' | 'err'): Promise<void> => {
    for await (const bytes of source as AsyncIterable<Buffer>) {
      sending++
      await channel.send({ kind, bytes }).finally(() => sending--)
      quietSince = performance.now()
    }
  }
  const giveUpWhenQuiet = async (over: AbortSignal): Promise<void> => {
    await ended
    for (quietSince = performance.now(); !over.aborted; await pause(heldOpenMs / 4, over)) {
      isHeldOpen = sending === 0 && performance.now() - quietSince >= heldOpenMs
      if (isHeldOpen) return stop()
    }
  }
  const over = new AbortController()
  const watching = giveUpWhenQuiet(over.signal)
  try {
    await Promise.all([send(stdout, 'out'), send(stderr, 'err')])
  } catch (error) {
    stop()
    if (!isHeldOpen) throw error
  } finally {
    over.abort()
    watching.catch(() => {}) // the caller gets the exit status from `ended`
  }
  return !isHeldOpen
}
