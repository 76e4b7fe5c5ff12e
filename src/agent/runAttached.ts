import type { ByteChannel } from '../lib/byteChannel.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ask } from '../protocol/ask.ts'
import { attach } from './attach.ts'
import type { CommandWork } from './commandJobs.ts'
import type { JobRunner } from './jobs/jobRunner.ts'

/** Runs a one-off command over a byte channel: see `attach`. */
export async function runAttached(
  channel: ByteChannel,
  { commands, clock }: { commands: JobRunner<CommandWork>; clock: Clock },
  ask: Extract<Ask, { kind: 'command' }>,
  signal: AbortSignal,
): Promise<void> {
  const start = (left: AbortSignal) => commands.run({ id: ask.id, work: { ...ask, output: 'attached' }, signal: left })
  await attach(channel, { start, clock }, signal)
}
