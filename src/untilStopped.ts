import type { Logger } from 'pino'

/**
 * Waits for SIGTERM, SIGINT, SIGHUP, the end of the parent process, or `asked`, then closes. A second signal ends the
 * process at once.
 */
export async function untilStopped(
  logger: Logger,
  close: () => Promise<void>,
  asked?: Promise<string>,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    let asked = false
    process.on(signal, () => {
      if (asked) process.exit(1)
      asked = true
      resolve(signal)
    })
  }
  void asked?.then(resolve)
  process.on('disconnect', () => resolve('the end of the parent process'))
  logger.info(`stopping on ${await promise}`)
  await close()
  if (process.connected) process.disconnect()
  return 0
}
