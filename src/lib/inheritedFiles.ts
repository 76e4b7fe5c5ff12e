import { closeSync, readdirSync, readFileSync } from 'node:fs'

/** O_CLOEXEC, as /proc/self/fdinfo shows it (proc(5)). */
const closedByExec = 0o2_000_000

/**
 * Closes what this process inherited beyond 0, 1 and 2, so that no process it starts gets it: libuv marks low numbers only.
 * Called first of all: what Node opens itself is marked. A file that the command line names (`<(…)`, /dev/fd/63) stays open.
 * Linux; elsewhere (macOS) libuv gives a child nothing but what it is given.
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
    return false // it listed the folder itself
  }
}
