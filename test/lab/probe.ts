import { ClientProcess } from './clientProcess.ts'
import type { Lab } from './lab.ts'
import type { Probed, ProbeOptions } from './probeProcess.ts'

const lookMs = 10

/** Requests from the lab's client at a steady rate, to measure the cost of a fault for clients. */
export class Probe {
  readonly #process: ClientProcess

  constructor(lab: Lab, options: ProbeOptions) {
    this.#process = new ClientProcess(lab, 'probeProcess.ts', options)
  }

  /** Resolves when the first request is answered, so that the load is running. */
  async answered(): Promise<void> {
    while (!this.#process.out.includes('answered')) {
      if (this.#process.isOver) throw new Error('the load ended before the first answer')
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }

  async stop(): Promise<Probed> {
    return JSON.parse(await this.#process.stop()) as Probed // one line, by probeProcess.ts
  }

  kill(): void {
    this.#process.kill()
  }
}

/** The longest time without an answer since `from`, in ms. Requests that are unanswered at the end count too. */
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
