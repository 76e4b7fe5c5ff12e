import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LogLine, LogQuery } from '../supervisor.ts'
import type { Forgotten } from './forgotten.ts'
import { droppedMessage, ownIdentifier, readJournalLine, wantedFields, type JournalLine } from './journalLine.ts'
import { linesOf } from './lineReader.ts'
import { sliceName, unitName } from './unitName.ts'

export interface Journal {
  /**
   * Writes a line of the agent about an instance; resolves when journald has the line. `isOver`: no further line of the
   * instance follows.
   */
  note(service: string, instance: string, text: string, isOver?: boolean): Promise<void>
  query(query: LogQuery, isLive: (id: string) => boolean): AsyncGenerator<LogLine>
  /** Ends every reader. */
  close(): void
}

export function openJournal(forgotten: Forgotten, sync: () => Promise<void>): Journal {
  const closing = new AbortController()
  return {
    note: async (service, instance, text, isOver = false) => {
      const fields = {
        MESSAGE: text.replaceAll(/[\0\n]+/g, ' | '),
        ...{ SYSLOG_IDENTIFIER: ownIdentifier, TANDEM_SERVICE: service, TANDEM_INSTANCE: instance, PRIORITY: '6' },
        ...(isOver ? { TANDEM_OVER: '1' } : {}),
      }
      await log(
        Object.entries(fields)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      )
    },
    query: async function* (query, isLive) {
      const { service, instance, follow, last } = query
      if (query.signal?.aborted || (last === 0 && !follow)) return
      const signal = AbortSignal.any([closing.signal, ...(query.signal ? [query.signal] : [])])
      if (!follow) await sync()
      const isHidden = forgotten.hides(service)
      const isWanted = (line: JournalLine): boolean =>
        (instance === undefined || line.instance === instance) && !isHidden(line)
      const isEnd = (line: JournalLine): boolean => line.isOver && instance !== undefined && !isLive(instance)
      let after: string | null = null
      if (last !== undefined) {
        const newest = await newestLines(query, last, isWanted, signal)
        for (const line of newest.lines) {
          if (signal.aborted) return
          yield given(line)
          if (isEnd(line)) return
        }
        if (!follow) return
        after = newest.cursor
      }
      for await (const json of linesOf(journalctl(query, after), signal)) {
        if (signal.aborted) return // journalctl was killed, possibly in the middle of this line
        const line = readJournalLine(json, service)
        if (line === null || !isWanted(line)) continue
        if (signal.aborted) return
        yield given(line)
        if (isEnd(line)) return
      }
    },
    close: () => closing.abort(),
  }
}

const given = ({ at, service, instance, stream, text }: JournalLine): LogLine => ({
  at,
  service,
  instance,
  stream,
  text,
})

/**
 * The last matching lines, oldest first, and the position in the journal of the newest entry read. Reads backwards
 * until there are enough lines: `journalctl --lines` would also count entries that are skipped here.
 */
async function newestLines(
  query: LogQuery,
  last: number,
  isWanted: (line: JournalLine) => boolean,
  signal: AbortSignal,
): Promise<{ lines: JournalLine[]; cursor: string | null }> {
  const lines: JournalLine[] = []
  let cursor: string | null = null
  for await (const json of linesOf([...reader, '--reverse', ...since(query), ...matches(query)], signal)) {
    cursor ??= (JSON.parse(json) as { __CURSOR: string }).__CURSOR // journalctl gives each entry one
    if (lines.length >= last) break
    const line = readJournalLine(json, query.service)
    if (line !== null && isWanted(line)) lines.push(line)
    if (lines.length >= last) break
  }
  return { lines: lines.reverse(), cursor }
}

const reader = ['journalctl', '--quiet', '--all', '--output=json', `--output-fields=${wantedFields.join(',')}`]

const since = (query: LogQuery): string[] =>
  query.since === undefined ? [] : [`--since=@${(Date.parse(query.since) / 1000).toFixed(3)}`]

const matches = ({ service, instance }: LogQuery): string[] => [
  `_SYSTEMD_SLICE=${sliceName(service)}`,
  ...(instance === undefined ? [] : [`_SYSTEMD_UNIT=${unitName(service, instance)}`]),
  // Lines of a program that had ended before journald examined it: see `isPrinted`.
  ...['+', '_TRANSPORT=stdout', `TANDEM_SERVICE=${service}`],
  ...(instance === undefined ? [] : [`TANDEM_INSTANCE=${instance}`]),
  ...['+', `SYSLOG_IDENTIFIER=${ownIdentifier}`, `TANDEM_SERVICE=${service}`],
  ...(instance === undefined ? [] : [`TANDEM_INSTANCE=${instance}`]),
  ...['+', `MESSAGE_ID=${droppedMessage}`, '_SYSTEMD_UNIT=systemd-journald.service'],
]

/** `after`: the position in the journal to continue from. */
const journalctl = (query: LogQuery, after: string | null): string[] => [
  ...reader,
  ...(after === null ? since(query) : [`--after-cursor=${after}`]),
  ...(query.follow ? ['--follow', '--no-tail'] : []),
  ...matches(query),
]

const logMs = 10_000

/** The logger of util-linux passes its fields to journald unchanged. */
async function log(fields: string): Promise<void> {
  const child = spawn('/usr/bin/logger', ['--journald'], { stdio: ['pipe', 'ignore', 'ignore'], timeout: logMs })
  child.stdin.on('error', () => {}) // the exit status reports the failure
  child.stdin.end(fields)
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error(`logger --journald ended with ${status}`)
}
