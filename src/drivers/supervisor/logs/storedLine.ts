import type { LogLine } from '../supervisor.ts'

const shape = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (out|err|tandem) (.*)$/s

/** One line of a log file, newline included: `2026-11-21T08:00:00.000Z out listening on 7001`. */
export function formatLine(line: Pick<LogLine, 'at' | 'stream' | 'text'>): string {
  return `${line.at} ${line.stream} ${line.text.replaceAll('\n', '\uFFFD')}\n`
}

/** Returns `null` for text that is not such a line, for example the incomplete end of a file whose agent was killed. */
export function parseLine(text: string, service: string, instance: string): LogLine | null {
  const match = shape.exec(text)
  if (match === null) return null
  const [, at = '', stream = '', body = ''] = match
  return { at, service, instance, stream: stream as LogLine['stream'], text: body } // the pattern allows only three
}
