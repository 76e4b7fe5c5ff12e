import type { Writable } from 'node:stream'
import { inputWindowBytes, type ByteChannel } from '../lib/byteChannel.ts'
import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { AccessEnd } from '../protocol/ask.ts'
import type { TerminalSize } from '../drivers/supervisor/supervisor.ts'
import { exitOf } from './commandJobs.ts'
import type { JobRun } from './jobs/liveJob.ts'
import { readOutput } from './jobs/programOutput.ts'

interface Attaching {
  /** Starts the program; the signal aborts when its caller has left. */
  start: (left: AbortSignal) => JobRun
  /** The caller's terminal has another size. */
  resized?: (size: TerminalSize) => void
  clock: Clock
}

/**
 * Runs a program over a byte channel. The caller at the other end owns the standard streams. When the caller leaves, or
 * `signal` aborts, the program gets its stop signal. Resolves when the program has ended, with how it did; failures are
 * reported over the channel. The caller receives a reason of `signal` that is an `OperatorError`.
 */
export async function attach(
  channel: ByteChannel,
  { start, resized = () => {}, clock }: Attaching,
  signal: AbortSignal,
): Promise<AccessEnd> {
  const over = new AbortController()
  const left = AbortSignal.any([signal, channel.gone, over.signal])
  const stdin = Promise.withResolvers<Writable>()
  const reading = takeInput(channel, stdin.promise, resized).finally(() => over.abort())
  let run: JobRun | null = null
  try {
    run = start(left)
    const { streams } = await run.started
    if (!streams) throw new Error('the supervisor gave an attached program no streams')
    stdin.resolve(streams.stdin)
    // A caller that has left is noticed at the next send or read; `left` then ends the program.
    await channel.send({ kind: 'started' }).catch(() => {})
    const isWhole = await readOutput(streams, run.ended, (kind, bytes) => channel.send({ kind, bytes }), clock)
    streams.stdin.destroy()
    const exit = exitOf(await run.ended)
    if (signal.aborted && signal.reason instanceof OperatorError) throw signal.reason // reported below
    if (isWhole) await channel.send({ kind: 'exit', code: exit.code, signal: exit.signal })
    else await channel.send(outputCut)
    return { how: over.signal.aborted ? 'left' : 'exited', code: exit.code, signal: exit.signal, reason: '' }
  } catch (failure) {
    const isStopped = signal.aborted && signal.reason instanceof OperatorError
    const error: unknown = isStopped ? signal.reason : failure
    const isLeft = !isStopped && left.aborted
    const code = error instanceof OperatorError ? error.code : 'E_ENVIRONMENT'
    const message = error instanceof Error ? error.message : String(error)
    await channel.send({ kind: 'error', code, message }).catch(() => {}) // the caller has left
    await run?.ended
    const how = isStopped ? 'stopped' : isLeft ? 'left' : 'failed'
    return { how, code: null, signal: null, reason: isLeft ? '' : message }
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
async function takeInput(
  channel: ByteChannel,
  stdin: Promise<Writable>,
  resized: (size: TerminalSize) => void,
): Promise<void> {
  try {
    for await (const frame of channel.frames()) {
      if (frame.kind === 'in') {
        const input = await stdin
        if (input.writableLength + frame.bytes.length > 2 * inputWindowBytes)
          throw new Error('the caller sent more input than the window allows')
        feed(input, frame.bytes, () => void channel.send({ kind: 'taken', bytes: frame.bytes.length }).catch(() => {}))
      } else if (frame.kind === 'inEnd') (await stdin).end()
      else if (frame.kind === 'resize') resized({ rows: frame.rows, columns: frame.columns })
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
