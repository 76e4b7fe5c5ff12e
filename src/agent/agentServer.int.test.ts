import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { agentSelfSchema, type AgentSelf } from '../protocol/checkup.ts'
import { AgentServer } from './agentServer.ts'
import { agentSelf } from './agentSelf.ts'
import { aDesiredState, listen, makeFolder } from './testing/given.ts'
import { Releases, runs, startedAgent, type RunningAgent } from './testing/runningAgent.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let server: AgentServer
let known: RunningAgent | null
const selfOf = (one: RunningAgent | null): AgentSelf =>
  agentSelf(one?.agent ?? null, {
    version: '1',
    controller: true,
    ports: { first: 1, last: 2 },
    http: 3,
    forward: 4,
    metrics: 5,
  })
beforeEach(() => {
  folder = makeFolder('agent-server')
  known = null
  server = new AgentServer(() =>
    known ? { agent: known.agent, balancer: known.balancer, connected: () => false } : null,
  )
})
afterEach(async () => {
  await server.close()
  await known?.agent.close()
  await folder.remove()
})

it('answers /healthz with 503 while it starts, then with 200 with or without a controller', async () => {
  const url = `http://127.0.0.1:${await server.listen(0)}/healthz`
  expect((await fetch(url)).status).toBe(503)
  known = await startedAgent(join(folder.path, 'machine'), await Releases.open(folder.path))
  const healthy = await fetch(url)
  expect([healthy.status, await healthy.json()]).toEqual([200, { ok: true, controller: false }])
})

it('answers /metrics in the format of Prometheus', async () => {
  const releases = await Releases.open(folder.path)
  const one = (known = await startedAgent(join(folder.path, 'machine'), releases))
  one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
  await until(() => expect(one.agent.report().instances[0]?.state).toBe('ready'))
  one.balancer.setInFlight('x', { work: 2, long: 0 })
  const response = await fetch(`http://127.0.0.1:${await server.listen(0)}/metrics`)
  expect(response.headers.get('content-type')).toContain('text/plain')
  const text = await response.text()
  expect(text).toContain('tandem_agent_instance_ready{service="shop",instance="x"} 1')
  expect(text).toContain('tandem_agent_instance_work{service="shop",instance="x"} 2')
  expect(text).toContain('tandem_agent_desired_position 10')
})

it('answers only requests that name this computer: a page with a DNS name that resolves here reads nothing', async () => {
  const port = await server.listen(0)
  known = await startedAgent(join(folder.path, 'machine'), await Releases.open(folder.path))
  const statusOf = async (path: string, host: string): Promise<number | undefined> => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    return answer.statusCode
  }
  for (const path of ['/healthz', '/metrics']) {
    expect(await statusOf(path, 'localhost')).toBe(200)
    expect(await statusOf(path, `127.0.0.1:${port}`)).toBe(200)
    expect(await statusOf(path, `evil.example:${port}`)).toBe(421)
  }
})

it('takes another port when its own is taken, and lists the paths it serves', async () => {
  const other = await listen(() => 200)
  const port = await server.listen(other.port)
  await other.close()
  expect(port).not.toBe(other.port)
  const response = await fetch(`http://127.0.0.1:${port}/else`)
  expect([response.status, await response.text()]).toEqual([404, 'not found: the agent serves /healthz and /metrics\n'])
})

it('reports about itself what a checkup needs', async () => {
  const releases = await Releases.open(folder.path)
  const one = (known = await startedAgent(join(folder.path, 'machine'), releases))
  one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
  await until(() => expect(one.agent.report().instances[0]?.state).toBe('ready'))
  // Services can reach this port, so it answers none of this.
  expect((await fetch(`http://127.0.0.1:${await server.listen(0)}/self`)).status).toBe(404)
  expect(agentSelfSchema.parse(selfOf(one))).toMatchObject({
    ...{ version: '1', controller: true, http: 3, forward: 4, metrics: 5 },
    ...{ problems: [], instances: [{ id: 'x', service: 'shop', state: 'ready', port: null }] },
  })
})

it('reports about itself what its report contains: its problems, and that it refuses its controller', async () => {
  const one = (known = await startedAgent(join(folder.path, 'machine'), await Releases.open(folder.path)))
  one.address.failNext(new Error('no card'))
  one.agent.accept(aDesiredState())
  await until(() => expect(one.agent.report().problems).toEqual(['address: no card']))
  one.agent.accept(aDesiredState({ machine: 'other' }))
  expect(selfOf(one).problems).toEqual(['address: no card', expect.stringMatching(/meant for machine other/)])
})

it('accepts the report of an older agent about itself, which lists no problems', async () => {
  const { problems, ...older } = selfOf(null)
  expect([problems, agentSelfSchema.parse(older).problems]).toEqual([[], []])
})
