// Answers every request with a report of its own attempts. It reads nothing of a request but its path.
import { createServer } from 'node:http'
import { env } from 'node:process'
import { report } from './report.mjs'

let isBusy = false

/** @param {import('node:http').ServerResponse} response */
async function answer(response) {
  if (isBusy) return response.writeHead(503).end('another report is in progress: ask again in a minute\n')
  isBusy = true
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  try {
    for await (const line of report()) {
      if (response.destroyed) break // the caller has gone
      response.write(`${line}\n`)
    }
    response.end()
  } catch (error) {
    response.end(`the report is not complete: ${error}\n`)
  } finally {
    isBusy = false
  }
}

const server = createServer((request, response) => {
  if (request.url === '/healthz') response.end('ok\n')
  else void answer(response)
})
server.listen(Number(env.PORT), env.HOST, () => console.log(`listening on ${env.HOST}:${env.PORT}`))
process.on('SIGTERM', () => server.close())
