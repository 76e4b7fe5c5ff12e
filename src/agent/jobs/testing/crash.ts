import { AgentDisk } from '../../agentDisk.ts'

/**
 * The kill -9 of an agent in this process: from the point of the crash on, the agent writes nothing to its disk and
 * reaches no driver. The processes that it had started run on.
 */
export class Crash {
  isOver = false
  /** Points that were passed, in words. */
  readonly passed: string[] = []
  #at: number

  /** `at`: index of the point at which the agent is killed; by default none. */
  constructor(at = Number.POSITIVE_INFINITY) {
    this.#at = at
  }

  /** Passes a point of the agent's life. Throws if the agent is killed there, or was killed before. */
  point(words: string): void {
    if (this.isOver) throw new Error(`killed before: ${words}`)
    if (this.passed.length === this.#at) {
      this.isOver = true
      throw new Error(`killed: ${words}`)
    }
    this.passed.push(words)
  }

  /** Around an effect of a driver: the agent may be killed before it, or after it. A dead agent waits for ever. */
  async around<T>(words: string, effect: () => Promise<T>): Promise<T> {
    try {
      this.point(`before ${words}`)
      const result = await effect()
      this.point(`after ${words}`)
      return result
    } catch (error) {
      if (this.isOver) return new Promise<never>(() => {})
      throw error
    }
  }
}

/** The file of jobs, and those of agents from before jobs. */
const jobFiles = ['jobs', 'prepared', 'maintenance']

/** The disk of an agent that may be killed before and after each write of these files. */
export class CrashingDisk extends AgentDisk {
  #crash: Crash

  constructor(folder: string, crash: Crash) {
    super(folder)
    this.#crash = crash
  }

  override write(name: string, value: unknown): void {
    const write = (): void => super.write(name, value)
    if (jobFiles.includes(name)) this.#around(`writing ${name}`, write)
    else write()
  }

  #around(words: string, write: () => void): void {
    this.#crash.point(`before ${words}`)
    write()
    this.#crash.point(`after ${words}`)
  }
}
