import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { OperatorError } from '../lib/operatorError.ts'
import { privilegedClient } from './privilegedClient.ts'
import { PrivilegedServer, type Perform } from './privilegedServer.ts'

const limits = { requestBytes: 10_000, requestMs: 300, connections: 4 }
let folder: string
let path: string
let servers: PrivilegedServer[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'privileged-'))
  path = join(folder, 'socket')
  servers = []
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(servers.map((server) => server.close()))
  rmSync(folder, { recursive: true })
})

async function serve(perform: Perform, idle: ConstructorParameters<typeof PrivilegedServer>[0]['idle'] = null) {
  const server = new PrivilegedServer({ perform, idle, limits })
  await server.listen({ path })
  servers.push(server)
  return server
}
const echo: Perform = async (operation, args) => ({ operation, args })
const anything = z.unknown()
const here = () => ({ path, unit: 'helper.socket' })

async function answerTo(...chunks: string[]): Promise<string> {
  const socket: Socket = connect(path)
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk)))
  socket.on('error', () => {})
  for (const chunk of chunks) socket.write(chunk)
  await once(socket, 'close')
  return text
}

it('answers requests, and preserves the kind of errors', async () => {
  await serve(async (name, args) => {
    if (name === 'fail') throw new OperatorError('E_JAIL', 'no', { subject: 'shop', next: 'write it' })
    return echo(name, args)
  })
  const call = privilegedClient(here())
  expect(await call('do', { a: 1 }, anything)).toEqual({ operation: 'do', args: { a: 1 } })
  await expect(call('fail', {}, anything)).rejects.toMatchObject({ code: 'E_JAIL', subject: 'shop', next: 'write it' })
})

it.each([
  ['no JSON', ['nonsense\n']],
  ['another shape', ['{"operation":1}\n']],
  ['an extra key', ['{"operation":"x","arguments":{},"more":1}\n']],
  ['a line too long', ['x'.repeat(6_000), 'x'.repeat(6_000)]],
  ['a line that never ends', ['{"operation":']],
  ['nothing', []],
])('answers %s with an error, and serves the next request', async (_, chunks) => {
  await serve(echo)
  expect(JSON.parse(await answerTo(...chunks))).toMatchObject({ error: { code: null } })
  expect(await privilegedClient(here())('do', {}, anything)).toMatchObject({ operation: 'do' })
})

it('accepts a timeout longer than a timer can count', async () => {
  await serve(async (name, args) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return echo(name, args)
  })
  expect(await privilegedClient(here())('slow', {}, anything, 30 * 24 * 3_600_000)).toMatchObject({ operation: 'slow' })
})

it('finishes an operation although its caller has left, and serves others meanwhile', async () => {
  const [begun, go, done] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ]
  await serve(async (name, args) => {
    if (name !== 'slow') return echo(name, args)
    begun.resolve()
    await go.promise
    done.resolve()
    return null
  })
  const socket = connect(path)
  socket.write('{"operation":"slow","arguments":{}}\n')
  await begun.promise
  socket.destroy()
  expect(await privilegedClient(here())('other', {}, anything)).toMatchObject({ operation: 'other' })
  go.resolve()
  await done.promise
})

it('the client retries when the privileged helper is killed before its answer', async () => {
  let killed = 0
  const dying = createServer((socket) => {
    killed += 1
    socket.destroy()
    if (killed === 2) dying.close(() => void serve(echo))
  }).listen(path)
  await once(dying, 'listening')
  expect(await privilegedClient(here())('do', {}, anything)).toMatchObject({ operation: 'do' })
  expect(killed).toBe(2)
})

it('names the command to run when there is no answer', async () => {
  await expect(privilegedClient(here(), 1)('do', {}, anything)).rejects.toThrow('systemctl status helper.socket')
})

it('exits when there are no more requests, but not during an operation', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const begun = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let isDone = false
  const ended = vi.fn(over.resolve)
  const server = await serve(
    async () => {
      begun.resolve()
      await go.promise
      isDone = true
      return null
    },
    { ms: 50, over: ended },
  )
  const asked = privilegedClient(here())('slow', {}, anything)
  await begun.promise
  vi.advanceTimersByTime(limits.requestMs - 1)
  expect(ended).not.toHaveBeenCalled()
  go.resolve()
  await asked
  vi.advanceTimersByTime(50)
  await over.promise
  expect(isDone).toBe(true)
  await server.close()
  servers = []
  expect(existsSync(path)).toBe(false)
})
