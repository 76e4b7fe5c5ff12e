// A small HTTP service: a page, a slow answer, a stream of events, and a shutdown that loses no request.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { PORT = '3000', HOST = '127.0.0.1', TANDEM_RELEASE = 'unreleased', TANDEM_MACHINE = 'nowhere' } = process.env
const message = readFileSync(new URL('message.txt', import.meta.url), 'utf8').trim()
const streams = new Set()

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://service')
  response.setHeader('x-release', TANDEM_RELEASE.slice(0, 12))
  response.setHeader('x-machine', TANDEM_MACHINE)
  switch (pathname) {
    case '/':
      return response.end(`${message} (release ${TANDEM_RELEASE.slice(0, 12)} on machine ${TANDEM_MACHINE})\n`)
    case '/healthz':
      return response.end('ok\n')
    case '/slow':
      return setTimeout(() => response.end(`${message}, after a while\n`), Number(searchParams.get('ms') ?? 2000))
    case '/events':
      return stream(response)
    default:
      response.statusCode = 404
      return response.end('there is /, /healthz, /slow?ms=2000 and /events\n')
  }
})

/** Server-sent events, one a second, until either side closes the stream. */
function stream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(`data: ${message}\n\n`)
  const timer = setInterval(() => response.write(`data: ${new Date().toISOString()}\n\n`), 1000)
  streams.add(response)
  response.on('close', () => {
    clearInterval(timer)
    streams.delete(response)
  })
}

server.listen(Number(PORT), HOST, () => console.log(`listening on ${HOST}:${PORT}`))

// Tandem sends SIGTERM when requests have been drained; only long connections are left. The service then accepts no new
// work, sends a goodbye to the streams, and exits once all requests are answered.
process.on('SIGTERM', () => {
  console.log('ending')
  server.close()
  // A kept-alive connection ends as soon as its last answer is sent.
  setInterval(() => server.closeIdleConnections(), 50).unref()
  for (const response of streams) response.end('event: bye\ndata: reconnect\n\n')
})
