import { spawn, type ChildProcess } from 'node:child_process'
import { Backoff } from '../lib/backoff.ts'
import { childFailure } from './childFailure.ts'
import { RotatingLog } from './rotatingLog.ts'

/** A child that ran this long before it ended is restarted without a longer delay: it is not in a crash loop. */
const steadyMs = 5_000
const backoffLimits = { firstMs: 200, mostMs: 10_000 }
/** Amount of output kept in memory to explain why a child ended. */
const keptTailBytes = 8 * 1024
/** After this long, a message says that the child still stops: a service may have a long `stop.within`. */
const stopNoteMs = 60_000
/** Time for a child to kill its instances before it is killed itself. */
const killMs = 2_000

/** Message that a child sends on its IPC channel once it accepts work. */
export type ReadyMessage = Readonly<Record<string, unknown>>

interface ChildOptions {
  /** Name for messages: `controller`, `machine a`. */
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  logFile: string
  /** Receives messages about the child after its first start. */
  onNews: (text: string) => void
}

/**
 * One part of a laptop's cluster as a child process. If the child ends on its own, it is restarted with backoff. The
 * child has its own session, so that Ctrl-C on the terminal reaches only the parent, which stops everything in order.
 * When the parent ends, even by a crash, the IPC channel closes and the child exits.
 */
export class LaptopChild {
  readonly #options: ChildOptions
  readonly #log: RotatingLog
  readonly #backoff = new Backoff(backoffLimits, Math.random)
  readonly #ready = Promise.withResolvers<ReadyMessage>()
  #wasReady = false
  #process: ChildProcess | null = null
  #restart: NodeJS.Timeout | undefined
  #stopping: PromiseWithResolvers<void> | null = null

  constructor(options: ChildOptions) {
    this.#options = options
    this.#log = new RotatingLog(options.logFile, { onNews: options.onNews })
    this.#ready.promise.catch(() => {}) // callers of `ready` get the rejection; there may be no caller yet
    this.#start()
  }

  /** The first ready message of the child. Rejects with the child's error if it ends before. */
  get ready(): Promise<ReadyMessage> {
    return this.#ready.promise
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Stops the child in order. An agent gives each instance its `stop.within`, then kills it. */
  async stop(): Promise<void> {
    if (this.#stopping) return this.#stopping.promise
    this.#stopping = Promise.withResolvers()
    clearTimeout(this.#restart)
    if (this.#process === null) this.#ended()
    this.#process?.kill('SIGTERM')
    const note = setTimeout(() => {
      const { onNews, name } = this.#options
      onNews(`${name} still stops after ${stopNoteMs / 1000} s; press Ctrl-C to kill everything`)
    }, stopNoteMs)
    await this.#stopping.promise
    clearTimeout(note)
  }

  /** Ends the child at once. An agent kills its instances first: without it, they would be left. */
  kill(): void {
    const child = this.#process
    child?.kill('SIGQUIT')
    setTimeout(() => child?.kill('SIGKILL'), killMs).unref()
  }

  #start(): void {
    const { command, args, env, name, onNews } = this.#options
    const startedAt = performance.now()
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#process = child
    let tail = ''
    const keep = (chunk: Buffer): void => {
      this.#log.write(chunk)
      tail = (tail + chunk.toString()).slice(-keptTailBytes)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('message', (message) => this.#heard(message))
    child.on('error', (error) => keep(Buffer.from(`${error.message}\n`)))
    child.on('close', (code, signal) => {
      this.#process = null
      if (this.#stopping) return this.#ended()
      const failure = childFailure(name, { code, signal, tail, logFile: this.#log.path })
      if (!this.#wasReady) return this.#ready.reject(failure)
      if (performance.now() - startedAt > steadyMs) this.#backoff.reset()
      const wait = this.#backoff.next()
      onNews(`${failure.message}; restarting it in ${(wait / 1000).toFixed(1)} s`)
      this.#restart = setTimeout(() => this.#start(), wait)
    })
  }

  #heard(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('event' in message) || message.event !== 'ready') return
    if (this.#wasReady) this.#options.onNews(`${this.#options.name} runs again`)
    this.#wasReady = true
    this.#ready.resolve({ ...message })
  }

  #ended(): void {
    this.#log.close()
    this.#ready.reject(new Error(`${this.#options.name} was stopped before it was ready`))
    this.#stopping?.resolve()
  }
}
