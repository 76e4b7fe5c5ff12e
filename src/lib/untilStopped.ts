import type { Logger } from 'pino'

/**
 * Waits for SIGTERM, SIGINT, SIGHUP, the end of the parent process, or `asked`, then closes. A second signal, or SIGQUIT, ends
 * the process at once, after `abandon`, which must not wait.
 */
export async function untilStopped(
  logger: Logger,
  close: () => Promise<void>,
  { asked: toStop, abandon }: { asked?: Promise<string>; abandon?: () => void } = {},
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const quit = (): void => {
    abandon?.()
    process.exit(1)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    let asked = false
    process.on(signal, () => {
      if (asked) quit()
      asked = true
      resolve(signal)
    })
  }
  process.on('SIGQUIT', quit)
  void toStop?.then(resolve)
  process.on('disconnect', () => resolve('the end of the parent process'))
  logger.info(`stopping on ${await promise}`)
  await close()
  if (process.connected) process.disconnect()
  return 0
}
