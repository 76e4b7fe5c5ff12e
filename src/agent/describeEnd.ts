import type { MainEnd } from '../drivers/supervisor/supervisor.ts'

/** How a process ended, for people. */
export function describeEnd({ code, signal, reason }: MainEnd, wasReady: boolean): string {
  const how =
    reason === 'oom'
      ? 'was killed at its memory limit'
      : code === null
        ? signal === null
          ? 'ended with a status that nobody saw'
          : `was ended by ${signal}`
        : `exited with status ${code}`
  return wasReady ? how : `${how} before it was ready`
}
