import type { Logger } from 'pino'

/** Waits for SIGTERM, SIGINT, the end of the parent that started this process, or `asked`, then closes. A second signal forces. */
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
  process.on('disconnect', () => resolve('the end of its parent'))
  logger.info(`stopping on ${await promise}`)
  await close()
  if (process.connected) process.disconnect()
  return 0
}
