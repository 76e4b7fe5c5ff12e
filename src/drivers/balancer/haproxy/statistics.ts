/** One line of HAProxy's `show stat` (management guide, 9.1). */
export interface StatLine {
  proxy: string
  /** Name of a server, `FRONTEND` or `BACKEND`. */
  server: string
  mode: string
  status: string
  /** Sessions now, and since the start of the worker. */
  sessions: number
  total: number
  idleConnections: number
  retries: number
  redispatches: number
  deniedConnections: number
  deniedSessions: number
  /** Answers by class, beginning with 1xx. */
  answers: number[]
}

export function statisticsIn(text: string): StatLine[] {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '')
  if (head === undefined || !head.startsWith('# pxname')) return []
  const columns = new Map(
    head
      .slice(2)
      .split(',')
      .map((name, index) => [name, index]),
  )
  return lines.map((line) => {
    const fields = line.includes('"') ? quotedFields(line) : line.split(',')
    const text = (name: string): string => fields[columns.get(name) ?? -1] ?? ''
    const count = (name: string): number => Number(text(name) || 0)
    return {
      proxy: text('pxname'),
      server: text('svname'),
      mode: text('mode'),
      status: text('status'),
      sessions: count('scur'),
      total: count('stot'),
      idleConnections: count('srv_icur'),
      retries: count('wretr'),
      redispatches: count('wredis'),
      deniedConnections: count('dcon'),
      deniedSessions: count('dses'),
      answers: [1, 2, 3, 4, 5].map((group) => count(`hrsp_${group}xx`)),
    }
  })
}

function quotedFields(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) => field ?? '')
}
