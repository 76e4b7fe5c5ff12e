import type { CliHost } from './host.ts'

/** Runs the command line of `tandem` and resolves with the exit code. */
export async function runCli(argv: string[], host: CliHost): Promise<number> {
  // Imported here, not at the top: by now the compile cache is on, which saves a short command a third of its time.
  const { runCommandLine } = await import('./runCommandLine.ts')
  return runCommandLine(argv, host)
}
