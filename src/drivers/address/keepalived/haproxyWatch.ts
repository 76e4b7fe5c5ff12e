import { connect, type Socket } from 'node:net'

/** The result of repeated queries to HAProxy. */
export interface HaproxySight {
  state: 'well' | 'gone' | 'silent'
  /** `null`: no services. */
  reachesAny: boolean | null
  reaches: string[]
}

/** HAProxy is frozen if it does not answer for this long. This is longer than a busy machine delays an answer. */
export const silentMs = 500
/** A single refusal may fall into the moment of a change. */
const refusalsToBeGone = 2
const answerBytes = 4 * 1024 * 1024
/** The query whether an instance is reached is sent at every fifth look, and at each look while none is reached. */
const reachEvery = 5

const backends = 'show stat -1 2 -1'
const servers = 'show stat -1 4 -1'
const alive = 'show version'

/**
 * Queries HAProxy through a socket of the worker itself (management guide, 9.3), which a reload passes on: the master
 * would be silent while it reads a new configuration. Sends one query at a time: a frozen HAProxy accepts connections
 * and never answers, and must not get a thousand queries.
 */
export class HaproxyWatch {
  #path: string
  #asking: Socket | null = null
  #looks = 0
  /** Refused connections in a row. */
  #refusals = 0
  #answeredAt: number
  #reachesAny: boolean | null = null
  #reaches: string[] = []

  constructor(path: string, now: number) {
    this.#path = path
    this.#answeredAt = now
  }

  /**
   * Sends a query if none is under way; returns the current knowledge. `wantsPeers`: also query which machines are
   * reached.
   */
  look(now: number, wantsPeers: boolean): HaproxySight {
    if (!this.#asking) this.#ask(this.#question(wantsPeers))
    const state = this.#refusals >= refusalsToBeGone ? 'gone' : now - this.#answeredAt > silentMs ? 'silent' : 'well'
    return { state, reachesAny: this.#reachesAny, reaches: wantsPeers ? this.#reaches : [] }
  }

  /** This process itself stood still: answers missing meanwhile have no meaning. */
  forgive(now: number): void {
    this.#answeredAt = now
  }

  close(): void {
    this.#asking?.destroy()
  }

  #question(wantsPeers: boolean): string {
    const look = this.#looks++
    if (wantsPeers && look % reachEvery === 1) return servers
    return look % reachEvery === 0 || this.#reachesAny === false ? backends : alive
  }

  #ask(question: string): void {
    const socket = connect(this.#path)
    this.#asking = socket
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
      if (answer.length > answerBytes) socket.destroy(new Error('the answer of HAProxy is too long'))
    })
    socket.on('error', (error) => {
      if ('code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')) this.#refusals++
    })
    socket.on('end', () => this.#answered(question, answer))
    socket.on('close', () => {
      this.#asking = null
    })
    socket.end(`${question}\n`)
  }

  #answered(question: string, answer: string): void {
    if (answer.trim() === '') return
    this.#refusals = 0
    this.#answeredAt = performance.now()
    if (question === backends) this.#reachesAny = reachesAnyIn(answer)
    if (question === servers) this.#reaches = peersIn(answer)
  }
}

/**
 * Whether the backend of any service is up. Its servers are instances here and other machines that have one. `null`: no
 * services.
 */
export function reachesAnyIn(statistics: string): boolean | null {
  const states = rowsIn(statistics).flatMap((row) => (row.name.startsWith('svc_') ? [row.status] : []))
  return states.length === 0 ? null : states.some((status) => status.startsWith('UP'))
}

/** Machines whose HAProxy answers the checks of this machine: packets pass in both directions. */
export function peersIn(statistics: string): string[] {
  const up = rowsIn(statistics).filter(({ server, status }) => server.startsWith('peer:') && status.startsWith('UP'))
  return [...new Set(up.map(({ server }) => server.slice('peer:'.length)))].toSorted()
}

function rowsIn(statistics: string): { name: string; server: string; status: string }[] {
  const [head = '', ...lines] = statistics.split('\n')
  const column = head.replace('# ', '').split(',').indexOf('status')
  return lines.flatMap((line) => {
    const fields = line.split(',', column + 1)
    const [name = '', server = ''] = fields
    return name === '' ? [] : [{ name, server, status: fields[column] ?? '' }]
  })
}
