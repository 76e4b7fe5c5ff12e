// Connects to every TCP port of an address, and prints those that accept: `node scan.mjs ADDRESS`.
import { connect } from 'node:net'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

const last = 65_535
const atOnce = 400
const patienceMs = 5_000

/**
 * `connected`, or the code of the error.
 * @param {import('node:net').TcpNetConnectOpts | import('node:net').IpcNetConnectOpts} to
 * @returns {Promise<string>}
 */
export const tryConnect = (to) =>
  new Promise((resolve) => {
    const socket = connect(to)
    const say = (/** @type {string} */ outcome) => {
      resolve(outcome)
      socket.destroy()
    }
    socket.setTimeout(patienceMs, () => say('timed out'))
    socket.on('error', (error) => say('code' in error ? String(error.code) : error.message))
    socket.on('connect', () => {
      // The kernel may choose the wanted port for this end: then the socket is connected to itself.
      const isSelf =
        'port' in to && socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress
      say(isSelf ? 'ECONNREFUSED' : 'connected')
    })
  })

/**
 * The ports that accept, and how often each other outcome occurred.
 * @param {string} host
 */
export async function scan(host) {
  /** @type {number[]} */
  const open = []
  /** @type {Record<string, number>} */
  const others = {}
  let next = 1
  const worker = async () => {
    while (next <= last) {
      const port = next++
      const outcome = await tryConnect({ host, port })
      if (outcome === 'connected') open.push(port)
      else others[outcome] = (others[outcome] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { open: open.toSorted((a, b) => a - b), others }
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await scan(argv[2] ?? '127.0.0.1')))
