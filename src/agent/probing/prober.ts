import { basename } from 'node:path'
import { constants } from 'node:os'
import { StringDecoder } from 'node:string_decoder'
import type { ProgramStreams } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import { randomId } from '../../lib/ids.ts'
import type { ProbeResult } from '../probe.ts'

/** A program that runs the command each time it reads a line, beside the instance. */
export interface OpenProber {
  streams: ProgramStreams
  /** Kills it with every process that it started. Resolves when none is left. */
  end: () => Promise<void>
}

/** Output that is kept for the reason of a failure. */
const keptChars = 8_192
const longestLine = 200
/** Time over which the share of a processor is measured. */
const shareMs = 60_000

interface Parts {
  /** For messages. */
  command: readonly string[]
  timeoutMs: number
  clock: Clock
  /** Starts the program. Called for the first probe, and for the next one after a timeout or an end. */
  open: () => Promise<OpenProber>
}

/**
 * Asks one instance by the command of its definition. One question at a time. A command that takes too long is killed
 * together with the prober: nothing that it started is left, whatever process group it is in.
 */
export class Prober {
  readonly #parts: Parts
  readonly #name: string
  #running: Running | null = null
  #cpuMs = 0
  #window: { at: number; cpuMs: number } | null = null
  /** Share of one processor in the last full minute; `null`: not measured yet. */
  share: number | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#name = basename(parts.command[0] ?? '')
  }

  /** Never rejects. Resolves at once when `signal` aborts; `close` then ends the command. */
  async ask(signal: AbortSignal): Promise<ProbeResult> {
    if (signal.aborted) return this.#miss('was not run')
    const aborted = Promise.withResolvers<ProbeResult>()
    const abort = (): void => aborted.resolve(this.#miss('was interrupted'))
    signal.addEventListener('abort', abort)
    try {
      return await Promise.race([this.#ask(signal), aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Ends the prober and the command that it runs. */
  async close(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.end()
  }

  async #ask(signal: AbortSignal): Promise<ProbeResult> {
    try {
      const running = (this.#running ??= new Running(await this.#parts.open()))
      if (signal.aborted) return this.#miss('was interrupted')
      return await this.#answer(running)
    } catch (error) {
      return this.#miss(`could not be run: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #answer(running: Running): Promise<ProbeResult> {
    const { clock, timeoutMs } = this.#parts
    const late = Promise.withResolvers<'late'>()
    const stopTimer = clock.after(timeoutMs, () => late.resolve('late'))
    const answer = await Promise.race([running.ask(), late.promise]).finally(stopTimer)
    if (answer === 'late') {
      const line = running.lastLine()
      await this.close()
      return this.#miss(`did not end within ${timeoutMs} ms${line}`)
    }
    if (answer === 'ended') {
      await this.close()
      return this.#miss('was killed: its prober has ended')
    }
    this.#measure(running, answer.cpuMs)
    return answer.status === 0 ? { ok: true } : this.#miss(`${ending(answer.status)}${answer.line}`)
  }

  #measure(running: Running, cpuMs: number): void {
    this.#cpuMs += cpuMs - running.cpuMs
    running.cpuMs = cpuMs
    const at = this.#parts.clock.monotonic()
    this.#window ??= { at, cpuMs: this.#cpuMs }
    const forMs = at - this.#window.at
    if (forMs < shareMs) return
    this.share = (this.#cpuMs - this.#window.cpuMs) / forMs
    this.#window = { at, cpuMs: this.#cpuMs }
  }

  #miss(what: string): ProbeResult {
    return { ok: false, reason: `${this.#name} ${what}` }
  }
}

interface CommandEnd {
  status: number
  /** Processor time of this prober and all its commands so far. */
  cpuMs: number
  /** The last line of the output, after a colon; empty if there is none. */
  line: string
}

/** One life of the program. */
class Running {
  readonly #prober: OpenProber
  readonly #decoder = new StringDecoder('utf8')
  #output = ''
  #mark = ''
  #asked: PromiseWithResolvers<CommandEnd | 'ended'> | null = null
  #isOver = false
  cpuMs = 0

  constructor(prober: OpenProber) {
    this.#prober = prober
    const { stdin, stdout, stderr } = prober.streams
    stdin.on('error', () => {}) // it has ended, as the output tells
    stdout.on('data', (bytes: Buffer) => this.#read(this.#decoder.write(bytes)))
    const over = (): void => {
      this.#isOver = true
      this.#asked?.resolve('ended')
    }
    stdout.on('end', over).on('close', over).on('error', over)
    stderr.on('error', () => {})
    stderr.resume()
  }

  ask(): Promise<CommandEnd | 'ended'> {
    if (this.#isOver) return Promise.resolve('ended')
    this.#asked = Promise.withResolvers()
    this.#output = ''
    this.#mark = randomId()
    this.#prober.streams.stdin.write(`${this.#mark}\n`)
    return this.#asked.promise
  }

  lastLine(): string {
    return lastLineOf(this.#output)
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#prober.streams.stdin.destroy()
    await this.#prober.end()
  }

  #read(text: string): void {
    this.#output += text
    const end = endingPattern(this.#mark).exec(this.#output)
    if (end === null) {
      this.#output = this.#output.slice(-keptChars)
      return
    }
    const [status, ...times] = end.slice(1)
    const line = lastLineOf(this.#output.slice(0, end.index))
    this.#output = ''
    this.#asked?.resolve({ status: Number(status), cpuMs: cpuMsOf(times.join(' ')), line })
  }
}

const endingPattern = (mark: string): RegExp => new RegExp(`\\n${mark} (\\d+)\\n(.*)\\n(.*)\\n${mark}\\n`)

/** `times` prints minutes and seconds, of the shell and of its children: `0m0.010s 0m0.020s`. */
function cpuMsOf(times: string): number {
  const all = [...times.matchAll(/(\d+)m(\d+(?:[.,]\d+)?)s/g)]
  return all.reduce(
    (sum, [, minutes, seconds = '0']) => sum + Number(minutes) * 60_000 + Number(seconds.replace(',', '.')) * 1_000,
    0,
  )
}

function lastLineOf(output: string): string {
  const lines = output.split('\n').map((line) => line.replaceAll(/\p{Cc}+/gu, ' ').trim())
  const last = lines.findLast((line) => line !== '')
  if (last === undefined) return ''
  return `: ${last.length > longestLine ? `${last.slice(0, longestLine)}…` : last}`
}

/** A shell reports a signal as 128 and its number. */
function ending(status: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => status === 128 + number)?.[0]
  return signal === undefined ? `exited with status ${status}` : `was killed by ${signal}`
}
