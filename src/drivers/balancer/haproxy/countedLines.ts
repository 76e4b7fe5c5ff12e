import { GoneLately } from '../goneLately.ts'
import { addCounts, type StatLine } from './statistics.ts'
import { isInstance, type Reading } from './workCounts.ts'

/** In place of a server's name: the servers of that backend that are gone and forgotten. */
const goneServers = '(gone)'

/** By proxy and server. */
type Lines = Map<string, StatLine>

/**
 * Statistics that only grow, summed over all workers: a worker begins at zero and takes its counts with it, and so does
 * a server that is removed.
 */
export class CountedLines {
  readonly #ended: Lines = new Map()
  #live = new Map<number, Lines>()
  readonly #gone = new GoneLately()

  /**
   * `workers`: all that run, also one that did not answer now; `at`: ms of one clock, by which gone instances are
   * forgotten after a while.
   */
  read(reading: Reading, workers: readonly number[], at: number): void {
    const live = new Map([...reading].map(([pid, lines]) => [pid, new Map(lines.map((line) => [keyOf(line), line]))]))
    for (const [pid, before] of this.#live) {
      const now = live.get(pid)
      if (now === undefined && workers.includes(pid)) live.set(pid, before)
      else for (const [key, line] of before) if (!continues(line, now?.get(key))) this.#end(line)
    }
    this.#live = live
    this.#forget(at)
  }

  /** The sum of every line; of `sessions` and `idleConnections`, the values of now. */
  sums(): StatLine[] {
    const sums: Lines = new Map()
    for (const lines of [this.#ended, ...this.#live.values()]) for (const line of lines.values()) addTo(sums, line)
    return [...sums.values()]
  }

  #end(line: StatLine): void {
    addTo(this.#ended, { ...line, sessions: 0, idleConnections: 0 })
  }

  /** The counts of a forgotten instance stay in the sum of its backend. */
  #forget(at: number): void {
    if (this.#ended.size === 0) return
    const ended = [...this.#ended.values()].filter(isInstance)
    const here = new Set([...this.#live.values()].flatMap((lines) => [...lines.values()].map(({ server }) => server)))
    const over = new Set(
      this.#gone.over(new Set(ended.map(({ server }) => server)), (instance) => here.has(instance), at),
    )
    for (const line of ended) {
      if (!over.has(line.server)) continue
      this.#ended.delete(keyOf(line))
      addTo(this.#ended, { ...line, server: goneServers })
    }
  }
}

const keyOf = ({ proxy, server }: StatLine): string => `${proxy}/${server}`

/** False where the server was removed meanwhile, or removed and added again. */
const continues = (before: StatLine, now: StatLine | undefined): boolean =>
  now !== undefined &&
  now.total >= before.total &&
  now.answers.every((count, index) => count >= (before.answers[index] ?? 0))

function addTo(sums: Lines, line: StatLine): void {
  const sum = sums.get(keyOf(line))
  if (!sum) return void sums.set(keyOf(line), { ...line, answers: [...line.answers] })
  addCounts(sum, line)
  sum.sessions += line.sessions
  sum.idleConnections += line.idleConnections
}
