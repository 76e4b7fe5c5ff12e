import { Readable, Writable } from 'node:stream'
import { runCli } from '../runCli.ts'
import type { CliHost } from '../host.ts'

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
  const never = (): Promise<number> => Promise.reject(new Error('this test runs no program'))
  const entryPoints = {
    initController: async () => ({ authority: '', pin: '' }),
    signOffline: async () => '',
    runController: never,
    runAgent: never,
    runGuard: never,
    examineMachine: async () => ({ machine: 'a', checked: [], findings: [] }),
    runPrivileged: never,
    startController: async () => false,
    joinMachine: async () => ({ machine: 'a', cluster: 'test', started: false }),
    leaveMachine: async () => ({ units: [], keptData: [], stays: [] }),
  }
  const host: CliHost = { stdin: () => stdin, stdout, stderr, env, cwd, version: '9.9.9', entryPoints }
  const code = await runCli(argv, host)
  return { code, out: stdout.text, err: stderr.text }
}

class Collected extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
