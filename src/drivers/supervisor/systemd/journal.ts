import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LogLine, LogQuery } from '../supervisor.ts'
import type { Forgotten } from './forgotten.ts'
import { droppedMessage, ownIdentifier, readJournalLine, wantedFields } from './journalLine.ts'
import { linesOf } from './lineReader.ts'

export interface Journal {
  /** A line of the agent's own about an instance; resolves when journald has it. `isOver`: none of its will come any more. */
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
      for await (const json of linesOf(journalctl(query), signal)) {
        const line = readJournalLine(json, service)
        if (line === null || (instance !== undefined && line.instance !== instance) || isHidden(line)) continue
        if (signal.aborted) return
        const { isOver, ...given } = line
        yield given
        if (isOver && instance !== undefined && !isLive(instance)) return
      }
    },
    close: () => closing.abort(),
  }
}

function journalctl({ service, instance, since, last, follow }: LogQuery): string[] {
  return [
    ...['journalctl', '--quiet', '--all', '--output=json', `--output-fields=${wantedFields.join(',')}`],
    ...(since === undefined ? [] : [`--since=@${(Date.parse(since) / 1000).toFixed(3)}`]),
    ...(last === undefined ? [] : [`--lines=${last}`]),
    ...(follow ? ['--follow', ...(last === undefined ? ['--no-tail'] : [])] : []),
    ...[`TANDEM_SERVICE=${service}`, ...(instance === undefined ? [] : [`TANDEM_INSTANCE=${instance}`])],
    ...['+', `MESSAGE_ID=${droppedMessage}`, '_SYSTEMD_UNIT=systemd-journald.service'],
  ]
}

const logMs = 10_000

/** util-linux's logger gives journald its fields as they are. */
async function log(fields: string): Promise<void> {
  const child = spawn('/usr/bin/logger', ['--journald'], { stdio: ['pipe', 'ignore', 'ignore'], timeout: logMs })
  child.stdin.on('error', () => {}) // its status says it
  child.stdin.end(fields)
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error(`logger --journald ended with ${status}`)
}
