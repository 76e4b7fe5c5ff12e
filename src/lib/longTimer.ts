/** Node's timers turn anything above 2^31 - 1 ms into 1 ms; longer timers are made of slices. */
export const longestTimerMs = 2 ** 31 - 1

/** Starts a timer of any length; the returned function stops the timer. */
export function startTimer(ms: number, fire: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (leftMs: number): void => {
    const sliceMs = Math.min(leftMs, longestTimerMs)
    timer = setTimeout(() => (leftMs > sliceMs ? arm(leftMs - sliceMs) : fire()), sliceMs)
  }
  arm(Math.max(0, ms))
  return () => clearTimeout(timer)
}
