// A plain TCP service: it sends each line back with the version in front. On SIGTERM it sends `bye` and exits.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const version = process.env.VERSION ?? '?'
const open = new Set()
const server = createServer((socket) => {
  open.add(socket)
  socket.on('close', () => open.delete(socket))
  socket.on('error', () => socket.destroy())
  const lines = createInterface({ input: socket })
  lines.on('line', (line) => socket.write(`${version} ${line}\n`))
  lines.on('error', () => socket.destroy()) // without a listener, it throws errors of its input
})
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => {
  server.close()
  for (const socket of open) socket.end('bye\n')
})
