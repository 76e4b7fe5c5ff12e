import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { describeFolder } from '../releases/describeFolder.ts'
import { DirectoryStore } from '../releases/directoryStore.ts'
import { publish } from '../releases/publish.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import { ReleaseDepot } from '../releases/releaseDepot.ts'
import { AgentDisk } from './agentDisk.ts'
import { aDefinition, aDesiredState, makeFolder } from './testing/given.ts'
import { runs } from './testing/runningAgent.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let data: string
let agents: ChildProcess[]

beforeEach(() => {
  folder = makeFolder('killed')
  data = join(folder.path, 'machine')
  agents = []
})
afterEach(async () => {
  for (const agent of agents) await end(agent, 'SIGTERM')
  await folder.remove()
})

async function end(agent: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return
  const exited = once(agent, 'exit')
  agent.kill(signal)
  await exited
}

/** Starts an agent that has no controller; resolves with the port of its entry. */
async function start(): Promise<{ agent: ChildProcess; http: number }> {
  const agent = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'testing/agentProcess.ts'),
      data,
      // Each machine on a laptop has its own range.
      String(20_000 + 50 * (process.pid % 200)),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  agents.push(agent)
  for await (const line of createInterface({ input: agent.stdout })) {
    return { agent, http: (JSON.parse(line) as { http: number }).http } // printed by our own process
  }
  throw new Error('the agent ended before it ran')
}

const program = `
const { appendFileSync } = require('node:fs')
appendFileSync(process.env.TANDEM_DATA + '/pids', process.pid + '\\n')
require('node:http').createServer((_, response) => response.end(String(process.pid))).listen(process.env.PORT, process.env.HOST)
`
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

it('restores what it ran after kill -9, without a controller: leftovers end first, never two processes of one instance', async () => {
  // The state that a controller sent before the first kill.
  const source = join(folder.path, 'source')
  mkdirSync(source)
  writeFileSync(join(source, 'server.cjs'), program)
  const definition = aDefinition({
    run: [process.execPath, 'server.cjs'],
    health: { path: '/', everyMs: 20, timeoutMs: 1_000, withinMs: 20_000, settleMs: 0 },
  })
  const policy = { keep: new Set<string>(), lastPerService: 5, published: [] }
  const store = await DirectoryStore.open(join(folder.path, 'store'))
  const depot = new ReleaseDepot({ store, clock: systemClock, capBytes: null, policy: () => policy })
  const { id } = await publish(await describeFolder(source, { definition }), depot)
  const cache = await ReleaseCache.open(join(data, 'cache'))
  await cache.fetch(id, depot)
  const desired = runs({ id, definition }, 'shop-r1-a-1', 'shop-r1-a-2')
  const match = { kind: 'http' as const, host: null, path: '/' }
  const route = { service: 'shop', match, releases: [id], forwardTo: [], holdMs: null, idleMs: null, bodyBytes: null }
  new AgentDisk(data).writeDesired(aDesiredState({ ...desired, routes: [route] }))

  const pids = (): number[] => readFileSync(join(data, 'data/shop/pids'), 'utf8').trim().split('\n').map(Number)
  for (let round = 1; round <= 3; round++) {
    const { agent, http } = await start()
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => fetch(`http://127.0.0.1:${http}/`)))
      const served = new Set(await Promise.all(answers.map((answer) => answer.text())))
      expect(answers.every(({ status }) => status === 200)).toBe(true)
      expect(served.size).toBe(2)
    })
    expect(pids()).toHaveLength(2 * round)
    expect(pids().filter(isAlive)).toEqual(pids().slice(-2))
    await end(agent, 'SIGKILL')
  }
  const last = await start()
  await until(() => expect(pids()).toHaveLength(8))
  await end(last.agent, 'SIGTERM')
  expect(last.agent.exitCode).toBe(0)
  expect(pids().filter(isAlive)).toEqual([])
})
