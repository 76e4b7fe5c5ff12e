import { EventEmitter } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { hostHere, TestInterrupts } from '../../src/cli/testing/testHost.ts'
import { runCli } from '../../src/cli/runCli.ts'
import type { Command } from '../system/commandLine.ts'

/** A command line that runs in this process. As of a process, its streams are pipes, and `close` is its last event. */
export class CommandHere extends EventEmitter implements Command {
  readonly stdin: PassThrough
  readonly stdout: PassThrough = new PassThrough()
  readonly stderr: PassThrough = new PassThrough()
  readonly #interrupts = new TestInterrupts()

  /** `none`: its standard input is empty. `fed`: the caller writes and ends it. */
  constructor(argv: string[], env: NodeJS.ProcessEnv, input: 'none' | 'fed') {
    super()
    this.stdin = new PassThrough()
    if (input === 'none') this.stdin.end()
    void this.#run(argv, env)
  }

  /** Sends an interrupt, as Ctrl-C does. */
  kill(signal: NodeJS.Signals): boolean {
    if (signal !== 'SIGINT') throw new Error(`a command in this process gets only SIGINT, not ${signal}`)
    this.#interrupts.interrupt()
    return true
  }

  async #run(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
    const { stdin, stdout, stderr } = this
    const interrupts = (): TestInterrupts => this.#interrupts
    const code = await runCli(
      argv,
      hostHere({ stdin: () => stdin, stdout, stderr, env, cwd: process.cwd(), interrupts }),
    )
    await Promise.all([ended(stdout), ended(stderr)])
    this.emit('close', code)
  }
}

/** Ends a stream, and waits until its reader has everything. A stream that has no reader is not waited for. */
function ended(stream: PassThrough & Readable): Promise<void> {
  stream.end()
  if (stream.readableEnded || stream.readableFlowing === null) return Promise.resolve()
  return new Promise((resolve) => stream.once('end', resolve))
}
