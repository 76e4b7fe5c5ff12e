import type { TerminalSize } from './supervisor.ts'

/** Bash where it is installed; a login shell would change the environment of the instance. */
const shell =
  'if command -v bash >/dev/null 2>&1; then SHELL=$(command -v bash); export SHELL; exec bash; fi; SHELL=/bin/sh; export SHELL; exec sh'

/**
 * The command that runs a program, or a shell, in a terminal of its own: script(1) makes the terminal, and returns the
 * exit status of the program. macOS has the script of BSD.
 */
export function inTerminal(
  argv: readonly string[] | null,
  { rows, columns, type }: TerminalSize & { type: string },
  platform: NodeJS.Platform = process.platform,
): string[] {
  const program = argv === null ? shell : `exec ${argv.map(shellWord).join(' ')}`
  const command = `stty sane rows ${rows} cols ${columns}; TERM=${type}; export TERM; ${program}`
  return platform === 'linux'
    ? ['script', '-qefc', command, '/dev/null']
    : ['script', '-q', '/dev/null', '/bin/sh', '-c', command]
}

const shellWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
