import { once } from 'node:events'
import { Agent, request } from 'node:http'

// Requests one URL at a steady rate, as a separate process: `node probeProcess.ts OPTIONS-AS-JSON`. Exits at the end of
// its standard input. Prints `answered` at the first answer, and at its end the result as one line of JSON (`Probed`).
// It never retries.

export interface ProbeOptions {
  url: string
  perSecond: number
  keepAlive: boolean
  /** A request without an answer after this time has failed. */
  timeoutMs: number
}

export interface Probed {
  sent: number
  /** ms since the epoch of each answer. */
  answers: number[]
  failures: { at: number; why: string }[]
  slowestMs: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as ProbeOptions // by probe.ts
const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: 512 })
const probed: Probed = { sent: 0, answers: [], failures: [], slowestMs: 0 }
const underWay = new Set<Promise<void>>()

function ask(): Promise<void> {
  const at = Date.now()
  return new Promise((resolve) => {
    let isOver = false
    const over = (why: string | null): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      if (why !== null) probed.failures.push({ at, why })
      resolve()
    }
    const asking = request(options.url, { agent }, (response) => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode !== 200) return over(`status ${response.statusCode}`)
        if (probed.answers.length === 0) console.log('answered')
        probed.answers.push(Date.now())
        probed.slowestMs = Math.max(probed.slowestMs, Date.now() - at)
        over(null)
      })
      response.on('error', (error) => over(String(error)))
    })
    // The timeout starts now, not when the request gets a connection: behind hanging requests that may take long.
    const timer = setTimeout(() => {
      asking.destroy()
      over(`no answer in ${options.timeoutMs} ms`)
    }, options.timeoutMs)
    asking.on('error', (error) => over(error.message))
    asking.end()
  })
}

const stopping = new AbortController()
process.stdin.resume()
void once(process.stdin, 'end').then(() => stopping.abort())
const startedAt = performance.now()
while (!stopping.signal.aborted) {
  const due = ((performance.now() - startedAt) / 1000) * options.perSecond
  for (; probed.sent < due; probed.sent++) {
    const one = ask()
    underWay.add(one)
    void one.finally(() => underWay.delete(one))
  }
  await new Promise((resolve) => setTimeout(resolve, 1000 / options.perSecond))
}
await Promise.all(underWay)
agent.destroy()
console.log(JSON.stringify(probed))
