import type { CliHost } from './host.ts'

/** The command line of `tandem`: runs it and resolves with the exit code. */
export async function runCli(argv: string[], host: CliHost): Promise<number> {
  // Loaded here, not above: by now the compile cache is on, which saves a short command a third of its time.
  const { runCommandLine } = await import('./runCommandLine.ts')
  return runCommandLine(argv, host)
}
