// A service that makes the attempts in a list (`POST /`), and answers with the outcome of each.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect, createServer as createListener } from 'node:net'
import { env, kill } from 'node:process'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { tryConnect } from './scan.mjs'

const run = promisify(execFile)
const patienceMs = 5_000
/** @type {import('node:net').Server[]} */
const listeners = []
/** @type {import('node:net').Socket[]} */
const held = []

/** @param {() => unknown} attempt */
function codeOf(attempt) {
  try {
    return attempt()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : String(error)
  }
}

/** @type {Record<string, (words: string[]) => unknown>} */
const kinds = {
  connect: ([host = '', port, localAddress]) =>
    tryConnect({ host, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) }),
  /** Keeps the connection; `held` says which are open. */
  hold: ([host, port]) =>
    new Promise((resolve) => {
      const socket = connect({ host, port: Number(port) })
      socket.on('error', (error) => resolve('code' in error ? error.code : error.message))
      socket.on('connect', () => {
        held.push(socket)
        resolve('connected')
      })
    }),
  held: () => held.map(({ destroyed }) => (destroyed ? 'ended' : 'open')),
  unix: ([path = '']) => tryConnect({ path: path.replace('@', '\0') }),
  /** The status of an answer over TLS, without a certificate and without a token. */
  tls: ([host, port, path = '/', servername = 'localhost']) =>
    new Promise((resolve) => {
      const call = requestTls({ host, port: Number(port), path, servername, rejectUnauthorized: false })
      call.setTimeout(patienceMs, () => resolve('timed out'))
      call.on('response', ({ statusCode }) => resolve(`status ${statusCode}`))
      call.on('error', (error) => resolve('code' in error ? error.code : error.message))
      call.end()
    }),
  udp: ([host, port]) =>
    new Promise((resolve) => {
      const socket = createSocket('udp4')
      const say = (/** @type {unknown} */ outcome) => {
        clearTimeout(patience)
        socket.close()
        resolve(outcome)
      }
      const patience = setTimeout(() => say('timed out'), patienceMs)
      socket.on('message', () => say('answered'))
      socket.on('error', (error) => say('code' in error ? error.code : error.message))
      socket.send('hello', Number(port), host)
    }),
  read: ([path = '']) => codeOf(() => (readFileSync(path).length > 0 ? 'read' : 'empty')),
  list: ([path = '']) => codeOf(() => (readdirSync(path).length > 0 ? 'listed' : 'empty')),
  kill: ([pid]) => codeOf(() => (kill(Number(pid), 'SIGTERM') ? 'killed' : 'not killed')),
  /** Processes of other users. */
  processes: () => {
    const own = (/** @type {string} */ pid) => readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Uid:.*$/m)?.[0]
    const foreign = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && codeOf(() => own(name)) !== own('self'))
    return foreign.length === 0 ? 'none' : `${foreign.length} of others`
  },
  /** The output of a command if it succeeds and prints anything. */
  run: async ([file = '', ...args]) => {
    const { stdout } = await run(file, args, { timeout: patienceMs }).catch(() => ({ stdout: '' }))
    return stdout.trim() === '' ? 'nothing' : stdout.trim()
  },
  listen: ([host, port, reusePort]) =>
    new Promise((resolve) => {
      const listener = createListener((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhostile\n'))
      listener.on('error', (error) => resolve('code' in error ? error.code : error.message))
      listener.listen({ host, port: Number(port), reusePort: reusePort === 'shared' }, () => {
        listeners.push(listener)
        resolve('listening')
      })
    }),
  silence: () => {
    for (const listener of listeners.splice(0)) listener.close()
    return 'silent'
  },
}

/** @param {import('node:http').IncomingMessage} request */
async function answer(request) {
  if (request.method !== 'POST') return 'hello'
  /** @type {Record<string, unknown>} */
  const outcomes = {}
  for (const [name, kind, ...words] of /** @type {string[][]} */ (await json(request)))
    outcomes[name ?? ''] = await kinds[kind ?? '']?.(words)
  return JSON.stringify(outcomes)
}
const server = createServer((request, response) => void answer(request).then((said) => response.end(said)))
server.listen(Number(env.PORT), env.HOST)
