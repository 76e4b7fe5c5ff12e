// A service that tests control: by its environment before it is ready, by requests afterwards.
import { spawn } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'

const { VERSION: version = '?', HEALTH = '200', BOOT_MS = '0', BOOT_AFTER, LISTEN = 'http', HOST, PORT } = process.env

const server = LISTEN === 'tcp' ? createTcpServer(greet) : createServer(answer)
console.log(`version ${version} says hello`)
console.error(`version ${version} complains`)
if (process.env.CRASH !== undefined) process.exit(Number(process.env.CRASH))
setTimeout(listen, Number(BOOT_MS))
process.on('SIGTERM', () => {
  if (process.env.DEAF) return
  server.close()
  server.closeIdleConnections?.()
})

/** Once the file of BOOT_AFTER is there. */
function listen() {
  if (BOOT_AFTER && !existsSync(BOOT_AFTER)) setTimeout(listen, 20)
  else server.listen(Number(PORT), HOST)
}

function greet(socket) {
  socket.on('error', () => socket.destroy())
  socket.end(`tcp ${version}\n`)
}

function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service')
  response.setHeader('x-version', version)
  response.setHeader('x-instance', process.env.TANDEM_INSTANCE ?? '')
  switch (pathname) {
    case '/health':
      response.writeHead(Number(HEALTH)).end()
      return
    case '/env':
      response.end(JSON.stringify(process.env))
      return
    case '/held':
      held(response)
      return
    case '/exit':
      response.end('goodbye', () => process.exit(Number(searchParams.get('code'))))
      return
    case '/print':
      console.log(searchParams.get('line'))
      response.end('printed')
      return
    case '/daemon':
      // Leaves its process group and session, like a daemon.
      response.end(String(spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).pid))
      return
    case '/deafen':
      server.close()
      response.end('deaf')
      return
    case '/tamper':
      response.end(JSON.stringify(tamper(searchParams.get('cache') ?? '')))
      return
    default:
      response.end(`hello ${version}`)
  }
}

/** Records the request in the data folder; answers once that has a file `go`. */
function held(response) {
  appendFileSync(join(process.env.TANDEM_DATA, 'held'), `${process.env.TANDEM_INSTANCE}\n`)
  const timer = setInterval(() => {
    if (!existsSync(join(process.env.TANDEM_DATA, 'go'))) return
    clearInterval(timer)
    response.end(`held ${version}`)
  }, 20)
}

/** Tries to change its own release and everything in the machine's cache; returns the files it could write. */
function tamper(cache) {
  const written = []
  const files = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  for (const path of [join(process.cwd(), 'marker.txt'), ...files.map((one) => join(one.parentPath, one.name))]) {
    try {
      chmodSync(dirname(path), 0o777)
      chmodSync(path, 0o777)
      writeFileSync(path, 'tampered')
      written.push(path)
    } catch {
      continue // this is the expected result
    }
  }
  try {
    writeFileSync(join(process.cwd(), 'more.txt'), 'tampered')
    written.push('more.txt')
  } catch {
    return written
  }
  return written
}
