import type { TailItem } from '../../src/api/tails.ts'

type Line = Extract<TailItem, { kind: 'line' }>

/** A line, or a place where lines are missing. */
export type Row =
  | (Line & { seq: number })
  | { kind: 'lost'; seq: number; at: string; machine: string; instance: string; text: string }
  | { kind: 'gap'; seq: number; at: string; until: string | null; machine: string; text: string }

/** As the agent writes it into the output where lines are lost. */
const lossText = /^\d+ lines were (?:lost|dropped|skipped) here/

/** Rows by time; rows of one moment in the order in which they came. */
const isBefore = (a: Row, b: Row): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq)

/** Lines in the order of their time, also if those of one machine come late. Holds the newest `most`. */
export class LogModel {
  rows: Row[] = []
  /** Number of the oldest rows that were dropped. */
  dropped = 0
  /** Lines so far, by instance. */
  readonly counts = new Map<string, { machine: string; lines: number }>()
  readonly #most: number
  #seq = 0
  /** Open gaps by machine. */
  readonly #gaps = new Map<string, number>()

  constructor(most = 100_000) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.rows.length >= this.#most
  }

  add(items: readonly TailItem[]): void {
    const fresh: Row[] = []
    for (const item of items) {
      if (item.kind === 'open') this.#close(item, fresh)
      else fresh.push(this.#rowOf(item))
    }
    this.#merge(fresh.toSorted((a, b) => (isBefore(a, b) ? -1 : 1)))
    const over = this.rows.length - this.#most
    if (over > 0) {
      this.rows = this.rows.slice(over)
      this.dropped += over
    }
  }

  /** Index of the row, or of the one that would follow it. */
  indexOf(row: Row): number {
    return indexIn(this.rows, row)
  }

  #rowOf(item: Exclude<TailItem, { kind: 'open' }>): Row {
    const seq = ++this.#seq
    const { at, machine, text } = item
    if (item.kind === 'cut') {
      this.#gaps.set(machine, seq)
      return { kind: 'gap', seq, at, until: null, machine, text }
    }
    const { instance, stream } = item
    const count = this.counts.get(instance)
    if (count) count.lines += 1
    else this.counts.set(instance, { machine, lines: 1 })
    if (stream === 'tandem' && lossText.test(text)) return { kind: 'lost', seq, at, machine, instance, text }
    return { ...item, seq }
  }

  /** The machine is back: its gap ends. */
  #close({ machine, at }: { machine: string; at: string }, fresh: Row[]): void {
    const seq = this.#gaps.get(machine)
    this.#gaps.delete(machine)
    for (const rows of [fresh, this.rows]) {
      const index = rows.findLastIndex((row) => row.seq === seq)
      const row = rows[index]
      if (row?.kind === 'gap') rows[index] = { ...row, until: at }
    }
  }

  #merge(fresh: Row[]): void {
    const [first] = fresh
    if (!first) return
    const later = this.rows.splice(indexIn(this.rows, first))
    let index = 0
    for (const row of fresh) {
      for (let next = later[index]; next && isBefore(next, row); next = later[++index]) this.rows.push(next)
      this.rows.push(row)
    }
    for (; index < later.length; index++) this.rows.push(later[index] as Row) // within the list
  }
}

/** Index of the first row that is not before this one. */
export function indexIn(rows: readonly Row[], row: Row): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(rows[middle] as Row, row)) low = middle + 1 // within the list
    else high = middle
  }
  return low
}

/** The lines that hold this text, in any case; places where lines are missing stay. */
export function matching(rows: readonly Row[], find: string): readonly Row[] {
  if (find === '') return rows
  const pattern = patternOf(find)
  return rows.filter((row) => row.kind !== 'line' || pattern.test(row.text))
}

/** Matches the text itself, in any case. */
export const patternOf = (find: string): RegExp =>
  new RegExp(find.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), 'i')
