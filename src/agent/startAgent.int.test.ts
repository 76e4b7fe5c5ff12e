import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ApiClient } from '../api/client.ts'
import { FakeBalancer } from '../drivers/balancer/fakeBalancer.ts'
import { createFakeSupervisor } from '../drivers/supervisor/fakeSupervisor.ts'
import { systemClock } from '../lib/clock.ts'
import { AgentDisk } from './agentDisk.ts'
import { startAgent, type RunningAgent } from './startAgent.ts'
import { FakeController } from './testing/fakeController.ts'
import { aDesiredState, makeFolder, quiet } from './testing/given.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let controller: FakeController
let agent: RunningAgent

beforeEach(async () => {
  folder = makeFolder('start')
  controller = new FakeController()
  await controller.listen()
})
afterEach(async () => {
  await agent.close()
  await controller.close()
  await folder.remove()
})

const start = (): Promise<RunningAgent> =>
  startAgent({
    features: [],
    bootMark: () => '',
    ...{ machine: 'a', data: folder.path, host: '127.0.0.1', metricsPort: 0, tcpOffset: 0, version: '0', keepLast: 5 },
    ...{ ports: { first: 18_000, last: 18_100 }, secretsFolder: null, cacheCapBytes: null, logger: quiet },
    client: new ApiClient({ url: controller.url, token: 'x'.repeat(20) }),
    ...{ supervisor: createFakeSupervisor(systemClock) },
    balancer: async () => {
      const balancer = new FakeBalancer()
      await balancer.listen()
      return balancer
    },
    examine: async () => ({ machine: 'a', checked: [], findings: [] }),
  })

it('an agent starts on a disk that rejects writes, reports it, and writes the data later', async () => {
  const inTheWay = ['boot', 'ports'].map((name) => join(folder.path, `${name}.json.new`))
  for (const path of inTheWay) mkdirSync(path)
  agent = await start()
  await until(() => expect(controller.connected).toBe(1))
  controller.send('desired', aDesiredState())
  const problems = (): string[] | undefined => controller.reports.at(-1)?.problems
  await until(() =>
    expect(problems()).toEqual([
      expect.stringContaining('cannot write the ports to disk: '),
      expect.stringContaining('cannot write the start number of the agent to disk: '),
    ]),
  )
  for (const path of inTheWay) rmdirSync(path)
  await until(() => expect(problems()).toEqual([]))
  const disk = new AgentDisk(folder.path)
  expect(disk.readPorts()).toEqual({ next: 18_000, forward: 2, metrics: agent.endpoints.metrics })
  expect(disk.nextBoot(0)).toBe((controller.reports[0]?.boot ?? 0) + 1)
})
