// A plain TCP service: each line comes back with the version in front. At SIGTERM it says bye and ends.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const version = process.env.VERSION ?? '?'
const open = new Set()
const server = createServer((socket) => {
  open.add(socket)
  socket.on('close', () => open.delete(socket))
  socket.on('error', () => socket.destroy())
  createInterface({ input: socket }).on('line', (line) => socket.write(`${version} ${line}\n`))
})
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => {
  server.close()
  for (const socket of open) socket.end('bye\n')
})
