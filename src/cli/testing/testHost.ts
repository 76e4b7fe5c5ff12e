import { Readable, Writable } from 'node:stream'
import type { EntryPoints } from '../entryPoints.ts'
import type { CliHost } from '../host.ts'
import type { Interrupts } from '../interrupts.ts'
import { runCli } from '../runCli.ts'

export interface CliRun {
  code: number
  out: string
  err: string
}

/** Runs a command line in this process, without a terminal. */
export async function runHere(
  argv: string[],
  env: NodeJS.ProcessEnv,
  cwd = process.cwd(),
  stdin = Readable.from([]),
): Promise<CliRun> {
  const [stdout, stderr] = [new Collected(), new Collected()]
  const code = await runCli(argv, hostHere({ stdin: () => stdin, stdout, stderr, env, cwd }))
  return { code, out: stdout.text, err: stderr.text }
}

/** A host whose command line runs no other program, and gets no signal unless the test sends one. */
export function hostHere(
  given: Pick<CliHost, 'stdin' | 'stdout' | 'stderr' | 'env' | 'cwd'> & Partial<CliHost>,
): CliHost {
  const signals = { interrupts: () => new TestInterrupts(), aroundStops: () => () => {} }
  return { version: '9.9.9', entryPoints: noPrograms, ...signals, ...given }
}

/** Signals that a test sends to a command line. */
export class TestInterrupts implements Interrupts {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  readonly signal = this.#first.signal
  readonly forced = this.#second.signal

  interrupt(): void {
    if (this.signal.aborted) this.#second.abort()
    else this.#first.abort()
  }

  exitCode(): number {
    return 130
  }

  stop(): void {}
}

const never = (): Promise<number> => Promise.reject(new Error('this test runs no program'))
const noPrograms: EntryPoints = {
  initController: async () => ({ authority: '', pin: '' }),
  signOffline: async () => '',
  here: async () => ({
    restoreController: async () => ({ cluster: 'test', words: [] }),
    awaitAdoption: async () => true,
  }),
  runController: never,
  runAgent: never,
  runProgram: never,
  examineMachine: async () => ({ machine: 'a', checked: [], findings: [] }),
  runPrivileged: never,
  runControllerHelper: never,
  startController: async () => false,
  joinMachine: async () => ({ machine: 'a', cluster: 'test', started: false, lacks: [] }),
  leaveMachine: async () => ({ units: [], keptData: [], stays: [] }),
}

class Collected extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
