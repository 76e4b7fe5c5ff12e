/** First and second interrupt (Ctrl-C or a signal). */
export interface Interrupts {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP: shut down in order. */
  signal: AbortSignal
  /** Aborts at the second. Listeners may do only synchronous work: the process exits right after them. */
  forced: AbortSignal
  /** 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, as a shell reports them. */
  exitCode: () => number
  stop: () => void
}

const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export function watchInterrupts(): Interrupts {
  const first = new AbortController()
  const second = new AbortController()
  let status: number = statuses.SIGINT
  const listen = (signal: NodeJS.Signals): void => {
    if (!first.signal.aborted) {
      status = statuses[signal as keyof typeof statuses] // `process.on` below registers only these three
      first.abort()
      return
    }
    second.abort()
    process.exit(status)
  }
  const names = Object.keys(statuses) as (keyof typeof statuses)[] // the table's own keys
  for (const name of names) process.on(name, listen)
  return {
    signal: first.signal,
    forced: second.signal,
    exitCode: () => status,
    stop: () => {
      for (const name of names) process.off(name, listen)
    },
  }
}
