import type { LogLine } from '../supervisor.ts'
import type { LogSource } from './logSource.ts'

/** Up to this many last lines are collected from the ends of the files. For more lines, all lines are counted first. */
const collectedLines = 10_000

export interface HistoryQuery {
  /** ISO 8601 with milliseconds in UTC, so that text compares as time. */
  since: string | null
  last: number | null
}

/**
 * The lines of all sources in order of time, within the query. Holds in memory one block of each source, or the last
 * lines.
 */
export async function* readHistory(sources: LogSource[], query: HistoryQuery): AsyncGenerator<LogLine> {
  const wanted = (line: LogLine): boolean => query.since === null || line.at >= query.since
  if (query.last === null) yield* merge(sources, wanted)
  else if (query.last <= collectedLines) yield* await collectLast(sources, wanted, query.last)
  else yield* skipToLast(sources, wanted, query.last)
}

async function* merge(sources: LogSource[], wanted: (line: LogLine) => boolean): AsyncGenerator<LogLine> {
  const cursors = await Promise.all(sources.map((source) => openCursor(source, wanted)))
  const open = cursors.filter((cursor) => cursor.head !== null)
  while (open.length > 0) {
    let next = open[0]
    for (const cursor of open) if (next === undefined || isEarlier(cursor, next)) next = cursor
    if (next === undefined || next.head === null) return
    yield next.head
    await next.advance()
    if (next.head === null) open.splice(open.indexOf(next), 1)
  }
}

interface Cursor {
  head: LogLine | null
  advance(): Promise<void>
}

const isEarlier = (a: Cursor, b: Cursor): boolean => a.head !== null && b.head !== null && a.head.at < b.head.at

async function openCursor(source: LogSource, wanted: (line: LogLine) => boolean): Promise<Cursor> {
  const blocks = source.forward()
  let block: LogLine[] = []
  let index = 0
  const cursor: Cursor = {
    head: null,
    advance: async () => {
      while (index >= block.length) {
        const next = await blocks.next()
        if (next.done === true) {
          cursor.head = null
          return
        }
        block = next.value.filter(wanted)
        index = 0
      }
      cursor.head = block[index++] ?? null
    },
  }
  await cursor.advance()
  return cursor
}

async function collectLast(sources: LogSource[], wanted: (line: LogLine) => boolean, last: number): Promise<LogLine[]> {
  if (last <= 0) return []
  const tails = await Promise.all(sources.map((source) => tail(source, wanted, last)))
  // The sort is stable: lines of one instance at the same millisecond keep their order.
  const lines = tails.flat().sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return lines.slice(-last)
}

async function tail(source: LogSource, wanted: (line: LogLine) => boolean, last: number): Promise<LogLine[]> {
  const blocks: LogLine[][] = []
  let count = 0
  for await (const block of source.backward()) {
    const lines = block.filter(wanted)
    blocks.unshift(lines)
    count += lines.length
    if (count >= last) break
  }
  return blocks.flat().slice(-last)
}

async function* skipToLast(
  sources: LogSource[],
  wanted: (line: LogLine) => boolean,
  last: number,
): AsyncGenerator<LogLine> {
  let count = 0
  for await (const line of merge(sources, wanted)) if (line.at !== '') count++
  let skip = count - last
  for await (const line of merge(sources, wanted)) if (skip-- <= 0) yield line
}
