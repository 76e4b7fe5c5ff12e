// A service with something to steal: at all addresses, in shared memory, in files, at an abstract socket and over UDP.
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createListener } from 'node:net'
import { env } from 'node:process'

const port = Number(env.PORT)
for (const folder of [env.TANDEM_DATA ?? '/tmp', '/tmp', '/dev/shm'])
  writeFileSync(`${folder}/secret`, 'secret', { mode: 0o644 })
execFileSync('perl', ['-e', 'shmget(4242, 64, 01666) // die $!'])
createListener((socket) => socket.on('error', () => {}).end('secret')).listen('\0victim')
const udp = createSocket('udp4', (_message, { port: from, address }) => udp.send('secret', from, address))
udp.bind(port, '127.0.0.1')
createServer((_request, response) => response.end('secret')).listen(port, '::')
