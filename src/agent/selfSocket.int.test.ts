import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentAnswer } from '../examine/agentAnswer.ts'
import { selfSocketOf, type AgentSelf } from '../protocol/checkup.ts'
import { agentSelf } from './agentSelf.ts'
import { SelfSocket } from './selfSocket.ts'
import { makeFolder } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
let socket: SelfSocket
const self = (): AgentSelf =>
  agentSelf(null, { version: '1', controller: true, ports: { first: 1, last: 2 }, http: 3, forward: 4, metrics: 5 })
beforeEach(() => {
  folder = makeFolder('self')
  socket = new SelfSocket(folder.path, self)
})
afterEach(async () => {
  await socket.close()
  await folder.remove()
})

it('reports to tandem doctor on this machine, also after an agent was killed', async () => {
  const path = selfSocketOf(folder.path)
  await socket.listen()
  expect(await agentAnswer(folder.path, 0)).toEqual(self())
  await socket.close()
  expect(existsSync(path)).toBe(false)
  writeFileSync(path, 'left there')
  await socket.listen()
  expect(await agentAnswer(folder.path, 0)).toEqual(self())
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
})

/** Connects as a user that owns nothing, like the user of every service. */
async function asNobody(path: string): Promise<string> {
  const script = `require('node:net').connect(process.argv[1])
    .on('connect', () => console.log('connected')).on('error', ({ code }) => console.log(code)).on('close', () => process.exit())`
  const options = { uid: 65_534, gid: 65_534, env: {} }
  return (await promisify(execFile)(process.execPath, ['-e', script, path], options)).stdout.trim()
}

describe.skipIf(process.getuid?.() !== 0)('another user of the machine', () => {
  it('cannot reach the socket, even if the parent folder is open', async () => {
    await socket.listen()
    for (let path = folder.path; path !== '/tmp' && path !== '/'; path = dirname(path)) chmodSync(path, 0o755)
    expect(await asNobody(selfSocketOf(folder.path))).toBe('EACCES')
  })
})

describe('an agent of an older version, which has no socket', () => {
  const listening = async (status: number, text: string): Promise<[port: number, close: () => void]> => {
    const server = createServer((_request, response) => response.writeHead(status).end(text)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return [(server.address() as AddressInfo).port, () => server.close()] // it listens on TCP
  }
  it('gets the request on its port', async () => {
    const [port, close] = await listening(200, JSON.stringify(self()))
    expect(await agentAnswer(join(folder.path, 'older'), port)).toEqual(self())
    close()
  })
  it('differs from another program that listens there', async () => {
    const [port, close] = await listening(404, 'not found: the agent serves /healthz and /metrics')
    await expect(agentAnswer(join(folder.path, 'older'), port)).rejects.toThrow(
      `the answer on port ${port} is not that of an agent`,
    )
    close()
  })
})
