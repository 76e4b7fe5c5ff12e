import { run } from '@stricli/core'
import { OperatorError } from '../lib/operatorError.ts'
import { buildApplicationFor } from './application.ts'
import { asOperatorError } from '../lib/asOperatorError.ts'
import type { CliContext } from './command.ts'
import { isProgram, withGlobalFlagsBehind } from './commandLine.ts'
import type { CliHost } from './host.ts'
import type { Interrupts } from './interrupts.ts'
import { LostOutput } from './lostOutput.ts'
import { Output } from './output.ts'
import { renderError } from './render/error.ts'
import { commands } from './routes.ts'
import { Session } from './session.ts'

/**
 * Runs one command line and returns its exit code. It neither sets the exit code of the process nor exits, so that all
 * output to pipes is written first.
 */
export async function runCommandLine(argv: string[], host: CliHost): Promise<number> {
  const args = withGlobalFlagsBehind(argv)
  const json = beforeEscape(args).includes('--json')
  // The controller and the agent handle signals themselves.
  const interrupts = isProgram(args) ? neverInterrupted : host.interrupts()
  const output = new LostOutput(host, (failure) =>
    process.exit(failure === null ? 0 : report(failure, new Output(host, false))),
  )
  try {
    const code = await runCommand(args, host, { interrupts, output })
    await output.written()
    return code
  } catch (error) {
    if (interrupts.signal.aborted && !(error instanceof OperatorError)) return interrupts.exitCode()
    return report(asOperatorError(error), new Output(host, json))
  } finally {
    interrupts.stop()
  }
}

interface Watched {
  interrupts: Interrupts
  output: LostOutput
}

async function runCommand(args: string[], host: CliHost, { interrupts, output }: Watched): Promise<number> {
  let outcome: { code: number } | { error: unknown } | null = null
  let misuse: OperatorError | null = null
  const application = buildApplicationFor(commands, host.version, args, (error) => (misuse ??= error))
  // Stricli writes errors to stderr as soon as it finds them; Tandem renders its errors once, at the end.
  const stderr = { write: () => {} }
  // The text that stricli prints itself: help and the version.
  let printed = ''
  const context: CliContext & { process: { exitCode?: number | string | null } } = {
    process: { stdout: { write: (text) => void (printed += text) }, stderr },
    open: (flags) => new Session(host, flags, interrupts, commands),
    goOn: () => output.goOn(),
    finish: (ended) => (outcome = ended),
    known: async () => [], // completion alone asks
  }
  if (isOverview(args)) printed = (await import('./help/pages.ts')).overview(commands)
  else await run(application, args, context)
  // Callbacks assign these variables, which the compiler does not see.
  const ended = outcome as { code: number } | { error: unknown } | null
  const misused = misuse as OperatorError | null
  if (misused) throw misused
  if (printed !== '') {
    const json = beforeEscape(args).includes('--json')
    if (!json) host.stdout.write(printed)
    else new Output(host, true).object(await inJson(args, printed))
  }
  if (ended && 'error' in ended) throw ended.error
  return ended?.code ?? 0
}

async function inJson(args: string[], printed: string): Promise<object> {
  if (isVersion(args)) return { version: printed.trim() }
  const { helpJson } = await import('./help/helpJson.ts')
  return { help: helpJson(commands, args, printed) }
}

/** `tandem`, `tandem --help`. */
const isOverview = (args: string[]): boolean => args.every((word) => ['--json', '--help', '-h'].includes(word))

const isVersion = (args: string[]): boolean => args[0] === '--version' || args[0] === '-v'

function report(error: OperatorError, out: Output): number {
  if (out.json) out.object({ error: error.body() })
  else out.note(renderError(error, out.paintNote))
  return error.exitCode
}

function beforeEscape(args: string[]): string[] {
  const escape = args.indexOf('--')
  return escape < 0 ? args : args.slice(0, escape)
}

const neverInterrupted: Interrupts = {
  signal: new AbortController().signal,
  forced: new AbortController().signal,
  exitCode: () => 130,
  stop: () => {},
}
