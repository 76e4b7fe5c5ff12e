import type { Writable } from 'node:stream'
import { inputWindowBytes, type ByteChannel } from '../lib/byteChannel.ts'
import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Ask } from '../protocol/ask.ts'
import { exitOf, type CommandWork } from './commandJobs.ts'
import type { JobRunner } from './jobs/jobRunner.ts'
import { readOutput } from './jobs/programOutput.ts'

/**
 * Runs a one-off command over a byte channel. The caller at the other end owns the standard streams. When the caller
 * leaves, the program gets its stop signal. Resolves when the command has ended; failures are reported over the
 * channel.
 */
export async function runAttached(
  channel: ByteChannel,
  { commands, clock }: { commands: JobRunner<CommandWork>; clock: Clock },
  ask: Extract<Ask, { kind: 'command' }>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const left = AbortSignal.any([signal, channel.gone, over.signal])
  const stdin = Promise.withResolvers<Writable>()
  const reading = takeInput(channel, stdin.promise).finally(() => over.abort())
  try {
    const command = commands.run({ id: ask.id, work: { ...ask, output: 'attached' }, signal: left })
    const { streams } = await command.started
    if (!streams) throw new Error('the supervisor gave an attached program no streams')
    stdin.resolve(streams.stdin)
    // A caller that has left is noticed at the next send or read; `left` then ends the program.
    await channel.send({ kind: 'started' }).catch(() => {})
    const isWhole = await readOutput(streams, command.ended, (kind, bytes) => channel.send({ kind, bytes }), clock)
    streams.stdin.destroy()
    const { code, signal: by } = exitOf(await command.ended)
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
