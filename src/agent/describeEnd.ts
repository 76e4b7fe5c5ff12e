import type { MainEnd } from '../drivers/supervisor/supervisor.ts'

/** Describes for people how a process ended. */
export function describeEnd({ code, signal, reason }: MainEnd, wasReady: boolean): string {
  const how =
    reason === 'oom'
      ? 'was killed at its memory limit'
      : code === null
        ? signal === null
          ? 'ended with an unknown exit status'
          : `was killed by ${signal}`
        : `exited with status ${code}`
  return wasReady ? how : `${how} before it was ready`
}
