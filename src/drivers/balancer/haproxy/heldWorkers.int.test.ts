import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { patienceMs } from '../../../lib/testing/patience.ts'
import { until } from '../../../lib/testing/until.ts'
import { HeldWorkers } from './heldWorkers.ts'

let folder: string
let server: Server
let held: HeldWorkers
let open: Set<Socket>
/** The worker answers once this has resolved. */
let answering: Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'held-'))
  open = new Set()
  answering = Promise.resolve()
  const socket = join(folder, 'worker.sock')
  server = createServer((client) => {
    open.add(client)
    client.on('close', () => open.delete(client))
    client.on('data', () => void answering.then(() => client.write('Pid: 7\n> ')))
  })
  server.listen(socket)
  await once(server, 'listening')
  held = new HeldWorkers({ socket, timeoutMs: patienceMs, oldWorkerMs: 1_000 })
})
afterEach(() => {
  held.close()
  server.close()
  rmSync(folder, { recursive: true })
})

it('holds a worker by one session until it is closed', async () => {
  await held.hold(7)
  await held.hold(7)
  expect(open.size).toBe(1)
  held.close()
  await until(() => expect(open.size).toBe(0))
})

it('opens nothing after it was closed, and keeps no session that was being opened then', async () => {
  const late = Promise.withResolvers<void>()
  answering = late.promise
  const holding = held.hold(7)
  await until(() => expect(open.size).toBe(1))
  held.close()
  late.resolve()
  await holding
  await until(() => expect(open.size).toBe(0))
  await held.hold(7)
  expect(open.size).toBe(0)
})
