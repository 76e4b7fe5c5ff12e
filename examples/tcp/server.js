// A plain TCP service: it sends its input back in capitals. A connection stays open until the client closes it.
import { createServer } from 'node:net'

const { PORT = '3000', HOST = '127.0.0.1', TANDEM_MACHINE = 'nowhere' } = process.env
const sockets = new Set()

const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => socket.destroy())
  socket.write(`you speak with ${TANDEM_MACHINE}\n`)
  socket.setEncoding('utf8')
  socket.on('data', (text) => socket.write(text.toUpperCase()))
})

server.listen(Number(PORT), HOST, () => console.log(`listening on ${HOST}:${PORT}`))

// Sends a goodbye to clients that are still connected after the drain, and closes their connections in order.
process.on('SIGTERM', () => {
  server.close()
  for (const socket of sockets) socket.end('bye, connect again\n')
})
