import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import type { RolloutView } from '../../api/views.ts'
import { at, rolloutView } from '../testing/views.ts'
import { beginRollout } from './beginRollout.ts'
import { watchRollout } from './watchRollout.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function controller(answer: RequestListener): Promise<ApiClient> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'tdm_0123456789' })
}

const message = (rollout: RolloutView): string => `data: ${JSON.stringify(rollout)}\n\n`
const running = rolloutView()
const reverting = rolloutView({ state: 'reverting', reason: 'it failed' })
const reverted = rolloutView({ state: 'reverted', reason: 'it failed', finishedAt: at(1) })
const { signal } = new AbortController()

it('continues after a stream that breaks and one that ends too early', async () => {
  let visits = 0
  const client = await controller((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    visits++
    if (visits === 1) response.write(message(running), () => response.destroy())
    else if (visits === 2) response.end(message(running) + message(reverting))
    else response.end(message(reverting) + message(reverted))
  })
  let [lost, back] = [0, 0]
  const seen: string[] = []
  const contact = { signal, onLost: () => lost++, onBack: () => back++ }
  for await (const { state } of watchRollout(client, running.id, contact)) seen.push(state)
  expect(seen).toEqual(['running', 'reverting', 'reverted'])
  expect([visits, lost, back]).toEqual([3, 2, 2])
})

it('gives up after the limit, with the id of the rollout', async () => {
  const client = await controller((_request, response) => void response.destroy())
  const watch = async (): Promise<void> => {
    for await (const rollout of watchRollout(client, running.id, { signal, limitMs: 300 })) expect(rollout).toBeNull()
  }
  await expect(watch()).rejects.toMatchObject({ code: 'E_CONTACT_LOST', exitCode: 3, subject: running.id })
})

it('does not retry a refused request', async () => {
  let visits = 0
  const client = await controller((_request, response) => {
    visits++
    const problem = {
      type: 'x',
      title: 'x',
      status: 404,
      detail: 'no such',
      code: 'E_NO_SUCH_ROLLOUT',
      subject: null,
      next: null,
    }
    response.writeHead(404).end(JSON.stringify(problem))
  })
  const watch = async (): Promise<void> => {
    for await (const rollout of watchRollout(client, running.id, { signal })) expect(rollout).toBeNull()
  }
  await expect(watch()).rejects.toMatchObject({ code: 'E_NO_SUCH_ROLLOUT' })
  expect(visits).toBe(1)
})

it('starts a rollout once, also if the answer to the start request is lost', async () => {
  const rollouts: RolloutView[] = []
  let starts = 0
  const client = await controller((request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify({ rollouts: rollouts.slice(-1) }))
    starts++
    rollouts.push(running)
    return response.destroy()
  })
  const begun = await beginRollout(client, { service: 'shop', kind: 'deploy', release: running.release }, { signal })
  expect([starts, begun.rollout?.id]).toEqual([1, running.id])
})

it("does not mistake another user's rollout for the requested one", async () => {
  const anothers = rolloutView({ id: 'anothers', release: 'c'.repeat(64) })
  let starts = 0
  const client = await controller((request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify({ rollouts: starts === 0 ? [] : [anothers] }))
    if (++starts === 1) return response.destroy()
    return response.end(JSON.stringify({ position: 1, release: running.release, previous: null, rollout: running }))
  })
  const begun = await beginRollout(client, { service: 'shop', kind: 'deploy', release: running.release }, { signal })
  expect([starts, begun.rollout?.id]).toEqual([2, running.id])
})
