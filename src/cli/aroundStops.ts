/**
 * Calls `leave` before Ctrl-Z stops the process, and `back` when it goes on, until the returned function is called. The
 * system's own handling does the stop: it ignores Ctrl-Z where no shell could let the process go on.
 */
export function aroundStops(leave: () => void, back: () => void): () => void {
  const stop = (): void => {
    leave()
    process.off('SIGTSTP', stop)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', stop)
    back()
  }
  process.on('SIGTSTP', stop)
  return () => void process.off('SIGTSTP', stop)
}
