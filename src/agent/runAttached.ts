import type { Readable, Writable } from 'node:stream'
import { inputWindowBytes, type ByteChannel } from '../lib/byteChannel.ts'
import { pause } from '../lib/backoff.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { ProgramStreams } from '../drivers/supervisor/supervisor.ts'
import { commandInstance, type Ask } from '../protocol/ask.ts'
import type { Programs } from './programs.ts'

/** Output that somebody else still holds open is given up so long after the program's end, counted from the last of it. */
const heldOpenMs = 2_000

/**
 * Runs a one-off command over a byte channel: its standard streams are those of whoever holds the other end. When that one
 * leaves, the program gets its stop signal. Resolves when it is over; what went wrong is said over the channel.
 */
export async function runAttached(
  channel: ByteChannel,
  programs: Programs,
  ask: Extract<Ask, { kind: 'command' }>,
  signal: AbortSignal,
): Promise<void> {
  const { service, release, definition, argv, id } = ask
  const over = new AbortController()
  const left = AbortSignal.any([signal, channel.gone, over.signal])
  const stdin = Promise.withResolvers<Writable>()
  const reading = takeInput(channel, stdin.promise).finally(() => over.abort())
  try {
    const start = await programs.attached({ id: commandInstance(service, id), release, definition }, argv, left)
    const { ended, streams } = await programs.begin(start, left)
    if (!streams) throw new Error('the supervisor gave an attached program no streams')
    stdin.resolve(streams.stdin)
    // Whoever is gone is seen at the next send or read; the program ends by `left`.
    await channel.send({ kind: 'started' }).catch(() => {})
    const isWhole = await sendOutput(channel, streams, ended)
    streams.stdin.destroy()
    const { code, signal: by } = await ended
    if (isWhole) await channel.send({ kind: 'exit', code, signal: by })
    else await channel.send(outputCut)
  } catch (error) {
    const code = error instanceof OperatorError ? error.code : 'E_ENVIRONMENT'
    const message = error instanceof Error ? error.message : String(error)
    await channel.send({ kind: 'error', code, message }).catch(() => {}) // nobody is left to be told
  } finally {
    channel.end()
    await reading
  }
}

const outputCut = {
  kind: 'error',
  code: 'E_OUTPUT_CUT',
  message: 'the program has ended, and another process still holds its output open: the end of it may be missing',
} as const

/** The caller's input, until the caller has closed. How much of it may be on its way is the window's. */
async function takeInput(channel: ByteChannel, stdin: Promise<Writable>): Promise<void> {
  try {
    for await (const frame of channel.frames()) {
      if (frame.kind === 'in') {
        const input = await stdin
        if (input.writableLength + frame.bytes.length > 2 * inputWindowBytes) throw new Error('the window is not kept')
        feed(input, frame.bytes, () => void channel.send({ kind: 'taken', bytes: frame.bytes.length }).catch(() => {}))
      } else if (frame.kind === 'inEnd') (await stdin).end()
    }
  } catch {
    // The caller left, fell silent, or does not keep to the rules.
  }
  channel.destroy()
}

/** A program that has closed its input does not want the rest. */
function feed(input: Writable, bytes: Buffer, taken: () => void): void {
  if (input.writable) input.write(bytes, taken)
  else taken()
}

/** False when the program has ended and something still holds its output open. Throws when the caller is gone. */
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
    watching.catch(() => {}) // how the program ended is for whoever asked for it
  }
  return !isHeldOpen
}
