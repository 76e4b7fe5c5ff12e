import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import type { Probed, ProbeOptions } from './probeProcess.ts'

const lookMs = 10

/** Requests from the lab's client at a steady rate: what a fault costs those who ask. */
export class Probe {
  #child: ChildProcess
  #out = ''

  constructor(lab: Lab, options: ProbeOptions) {
    const script = join(import.meta.dirname, 'probeProcess.ts')
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', script, JSON.stringify(options)]
    const [file = '', ...args] = lab.client.entering(node)
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (text) => {
      this.#out += String(text)
    })
  }

  /** Resolves once the first request was answered: the load is under way. */
  async answered(): Promise<void> {
    while (!this.#out.includes('answered')) {
      if (this.#child.exitCode !== null) throw new Error('the load ended before anything was answered')
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }

  async stop(): Promise<Probed> {
    const ended = once(this.#child, 'close')
    this.#child.stdin?.end()
    await ended
    return JSON.parse(this.#out.trim().split('\n').at(-1) ?? '') as Probed // one line, by probeProcess.ts
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The longest time without an answer since `from`, in ms; what is still unanswered at the end counts as well. */
export function longestSilence({ answers, failures }: Probed, from: number): number {
  let [longest, last] = [0, from]
  for (const at of answers.toSorted((a, b) => a - b)) {
    if (at < from) continue
    longest = Math.max(longest, at - last)
    last = at
  }
  const lastAsked = Math.max(last, ...failures.map(({ at }) => at))
  return answers.some((at) => at >= from) ? Math.max(longest, lastAsked - last) : Infinity
}
