import { closeSync, readdirSync, readFileSync } from 'node:fs'

/** O_CLOEXEC, as /proc/self/fdinfo shows it (proc(5)). */
const closedByExec = 0o2_000_000

/**
 * Closes the files beyond 0, 1 and 2 that this process inherited, so that no child process inherits them: libuv marks
 * only low numbers. Must be called first, because the files that Node opens later are marked anyway. A file named on
 * the command line (`<(…)`, /dev/fd/63) stays open. Linux only; elsewhere (macOS) libuv passes a child only the files
 * that it should get.
 */
export function closeInheritedFiles(argv: readonly string[] = process.argv): void {
  if (process.platform !== 'linux') return
  const named = new Set(argv.flatMap((word) => /\/(?:dev|proc\/self)\/fd\/(\d+)/.exec(word)?.[1] ?? []))
  for (const fd of readdirSync('/proc/self/fd')) {
    if (Number(fd) > 2 && !named.has(fd) && isGivenOn(fd)) closeSync(Number(fd))
  }
}

function isGivenOn(fd: string): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & closedByExec) === 0
  } catch {
    return false // the file that listed the folder itself, already closed
  }
}
