// The service of the whole-system tests: short, slow, upload, event stream and WebSocket, and an orderly shutdown.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'

const version = process.env.VERSION ?? '?'
/** @param {string} name */
const secret = (name) => readFileSync(join(process.env.CREDENTIALS_DIRECTORY ?? '/', name), 'utf8')
if (process.env.NEEDS && secret(process.env.NEEDS).startsWith('wrong')) throw new Error('the password is wrong')
const streams = new Set()
const sockets = new WebSocketServer({ noServer: true })

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://service')
  response.setHeader('x-version', version)
  response.setHeader('x-instance', process.env.TANDEM_INSTANCE ?? '')
  if (url.pathname === '/slow') {
    setTimeout(() => response.end(`slow ${version}`), Number(url.searchParams.get('ms') ?? 2000))
  } else if (url.pathname === '/upload') {
    const hash = createHash('sha256')
    request.on('data', (chunk) => hash.update(chunk))
    request.on('end', () => response.end(hash.digest('hex')))
  } else if (url.pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: hello\n\n')
    const timer = setInterval(() => response.write('data: tick\n\n'), 100)
    streams.add(response)
    response.on('close', () => {
      clearInterval(timer)
      streams.delete(response)
    })
  } else if (url.pathname === '/env') {
    response.end(JSON.stringify(process.env))
  } else if (url.pathname === '/secret') {
    response.end(secret(url.searchParams.get('name') ?? ''))
  } else if (url.pathname === '/call') {
    void callHttp(url.searchParams.get('url') ?? '').then((said) => response.end(said))
  } else if (url.pathname === '/line') {
    void callLine(url.searchParams.get('host') ?? '', Number(url.searchParams.get('port'))).then((said) =>
      response.end(said),
    )
  } else {
    response.end(`hello ${version}`)
  }
})
/** @param {string} url */
async function callHttp(url) {
  try {
    const answer = await fetch(url)
    return `${answer.status} ${answer.headers.get('x-instance') ?? '-'} ${await answer.text()}`
  } catch (error) {
    return `failed ${error instanceof Error ? String(error.cause) : String(error)}`
  }
}

/** @param {string} host @param {number} port @returns {Promise<string>} */
function callLine(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.on('error', (error) => resolve(`failed ${String('code' in error ? error.code : error.message)}`))
    socket.on('end', () => resolve('closed'))
    socket.once('data', (data) => {
      resolve(String(data).trim())
      socket.destroy()
    })
    socket.write('hello\n')
  })
}

server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on('message', (/** @type {Buffer} */ message) => client.send(`${version} ${message.toString()}`))
  })
})
server.listen(Number(process.env.PORT), process.env.HOST, () => {
  // `performance.timeOrigin` is the start of the process: the bench subtracts the boot time by this line.
  console.log(JSON.stringify({ listening: Date.now(), booted: Math.round(performance.now()) }))
})
process.on('SIGTERM', () => {
  server.close()
  for (const stream of streams) stream.end('data: bye\n\n')
  for (const client of sockets.clients) client.close(1001, 'going away')
  server.closeIdleConnections()
})
