/** One line of HAProxy's `show stat` (management guide, 9.1). */
export interface StatLine extends StatCounts {
  proxy: string
  /** Name of a server, `FRONTEND` or `BACKEND`. */
  server: string
  mode: string
  status: string
  /** Sessions now. */
  sessions: number
  idleConnections: number
}

/** Counts since the start of the worker, or since the server was added. */
export interface StatCounts {
  /** Sessions; every attempt on a server is one. */
  total: number
  retries: number
  redispatches: number
  deniedConnections: number
  deniedSessions: number
  /** Attempts that were given up without a connection, and connections that ended before an answer. */
  connectionErrors: number
  answerErrors: number
  /** Answers by class, beginning with 1xx. */
  answers: number[]
}

const columns = {
  ...{
    pxname: 'proxy',
    svname: 'server',
    mode: 'mode',
    status: 'status',
    scur: 'sessions',
    srv_icur: 'idleConnections',
  },
  ...{ stot: 'total', wretr: 'retries', wredis: 'redispatches', dcon: 'deniedConnections', dses: 'deniedSessions' },
  ...{ econ: 'connectionErrors', eresp: 'answerErrors' },
} as const
const texts = new Set<string>(['proxy', 'server', 'mode', 'status'])
const answerColumn = /^hrsp_([1-5])xx$/

/** Takes one field of a line. */
type Take = (line: StatLine, text: string) => void

/** Only few of about a hundred columns are needed, and lines are many: the others are passed over. */
export function statisticsIn(text: string): StatLine[] {
  const [head, ...lines] = text.split('\n')
  if (head === undefined || !head.startsWith('# pxname')) return []
  const takes = head.slice(2).split(',').map(takeOf)
  while (takes.length > 0 && takes.at(-1) === null) takes.pop()
  return lines.flatMap((line) => (line === '' ? [] : [lineOf(line, takes)]))
}

function takeOf(column: string): Take | null {
  const group = answerColumn.exec(column)?.[1]
  if (group !== undefined) return (line, text) => void (line.answers[Number(group) - 1] = Number(text))
  const key = Object.hasOwn(columns, column) ? columns[column as keyof typeof columns] : null
  if (key === null) return null
  return texts.has(key)
    ? (line, text) => void (line[key as 'proxy'] = text)
    : (line, text) => void (line[key as 'total'] = Number(text))
}

function lineOf(text: string, takes: (Take | null)[]): StatLine {
  const line: StatLine = {
    ...{ proxy: '', server: '', mode: '', status: '', sessions: 0, total: 0, idleConnections: 0, retries: 0 },
    ...{ redispatches: 0, deniedConnections: 0, deniedSessions: 0, connectionErrors: 0, answerErrors: 0 },
    answers: [0, 0, 0, 0, 0],
  }
  if (text.includes('"')) quotedFields(text).forEach((field, index) => takes[index]?.(line, field))
  else {
    let begin = 0
    for (const take of takes) {
      const comma = text.indexOf(',', begin)
      const end = comma < 0 ? text.length : comma
      if (take !== null && end > begin) take(line, text.slice(begin, end))
      if (comma < 0) break
      begin = comma + 1
    }
  }
  return line
}

function quotedFields(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) => field ?? '')
}

export function addCounts(sum: StatCounts, more: StatCounts): void {
  sum.total += more.total
  sum.retries += more.retries
  sum.redispatches += more.redispatches
  sum.deniedConnections += more.deniedConnections
  sum.deniedSessions += more.deniedSessions
  sum.connectionErrors += more.connectionErrors
  sum.answerErrors += more.answerErrors
  more.answers.forEach((count, index) => (sum.answers[index] = (sum.answers[index] ?? 0) + count))
}
