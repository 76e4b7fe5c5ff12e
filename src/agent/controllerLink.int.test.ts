import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { ApiClient } from '../api/client.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import { httpConnection } from './httpConnection.ts'
import { ControllerLink, type LinkLimits } from './controllerLink.ts'
import { FakeController } from './testing/fakeController.ts'
import { aDesiredState, aReport, quiet } from './testing/given.ts'
import { until } from '../lib/testing/until.ts'

let controller: FakeController
let link: ControllerLink
let desired: DesiredState[]
let asks: string[]
let beats: number
let seq: number

beforeEach(async () => {
  controller = new FakeController()
  await controller.listen()
  desired = []
  asks = []
  beats = 0
  seq = 0
})
afterEach(async () => {
  link.close()
  await controller.close()
})

const nextReport = (): Report => aReport({ seq: ++seq })

function connect(limits: Partial<LinkLimits> = {}, random = (): number => 0): void {
  link = new ControllerLink(
    httpConnection(new ApiClient({ url: controller.url, token: 'x'.repeat(20) })),
    {
      desired: (one) => {
        desired.push(one)
        link.changed()
      },
      ask: ({ id }) => asks.push(id),
      report: nextReport,
      beat: () => beats++,
      heard: () => {},
    },
    quiet,
    systemClock,
    random,
    limits,
  )
  link.start()
}
async function connected(): Promise<void> {
  await until(() => expect(controller.connected).toBe(1))
  controller.send('desired', aDesiredState())
  await until(() => expect(link.connected).toBe(true))
}

it('passes on desired states and requests, and reports at once', async () => {
  connect()
  await connected()
  controller.send('ask', { kind: 'cancel', id: 'q' })
  await until(() => expect(asks).toEqual(['q']))
  expect(desired).toEqual([aDesiredState()])
  await until(() => expect(controller.reports).toHaveLength(1))
})

it('ignores unknown events: a newer controller may send them', async () => {
  connect()
  await connected()
  controller.send('greeting', { hello: 1 })
  controller.send('ask', { kind: 'cancel', id: 'q' })
  await until(() => expect(asks).toEqual(['q']))
  expect(controller.streamsAt).toHaveLength(1)
})

it('reports with each heartbeat, and triggers retries of failed operations', async () => {
  connect({ heartbeatMs: 10 })
  await connected()
  await until(() => expect(controller.reports.length).toBeGreaterThan(3))
  expect(beats).toBeGreaterThan(2)
})

it('puts many changes into few reports, sends one at a time, and never loses the last change', async () => {
  connect({ heartbeatMs: 60_000 })
  await connected()
  await until(() => expect(controller.reports).toHaveLength(1))
  for (let i = 0; i < 1_000; i++) link.changed()
  await until(() => expect(controller.reports).toHaveLength(2))
  let changed = false
  controller.onReport = () => {
    if (!changed) for (let i = 0; i < 10; i++) link.changed() // while this report is being sent
    changed = true
    return 200
  }
  link.changed()
  await until(() => expect(controller.reports).toHaveLength(4))
})

it('reconnects after the controller was unreachable, with growing delays minus a random part', async () => {
  controller.refuseStreams = 503
  connect({ reconnect: { firstMs: 20, mostMs: 80 } })
  await until(() => expect(controller.streamsAt.length).toBe(6))
  const waits = controller.streamsAt.slice(1).map((at, index) => at - (controller.streamsAt[index] ?? 0))
  for (const [index, least] of [20, 40, 80, 80].entries()) expect(waits[index]).toBeGreaterThan(least - 3)
  controller.refuseStreams = 0
  await connected()
  await controller.close()
  await until(() => expect(link.connected).toBe(false))
  await controller.listen()
  await connected()
})

it.each([
  ['a message that is not JSON', 'event: desired\ndata: {"machine":\n\n'],
  ['a desired state with another structure', 'event: desired\ndata: {"machine":"a"}\n\n'],
  ['a request without an id', 'event: ask\ndata: {"kind":"explode"}\n\n'],
])('survives %s, reconnects, and not in a hurry', async (_, garbage) => {
  connect({ reconnect: { firstMs: 10, mostMs: 60 } })
  for (let round = 1; round <= 4; round++) {
    await until(() => expect(controller.connected).toBe(1))
    controller.sendRaw(garbage)
    await until(() => expect(controller.streamsAt.length).toBe(round + 1))
  }
  const waits = controller.streamsAt.slice(1).map((at, index) => at - (controller.streamsAt[index] ?? 0))
  expect(waits[3]).toBeGreaterThan(55)
  await connected()
  expect(desired).toEqual([aDesiredState()])
})

it('sends a report again if it was refused or never answered', async () => {
  connect({ heartbeatMs: 60_000, reportMs: 50, resend: { firstMs: 5, mostMs: 10 } })
  controller.onReport = (report) => [500, null, 200][report.seq - 1] ?? null
  await connected()
  await until(() => expect(controller.reports).toHaveLength(3))
  expect(controller.reports.map((report) => report.seq)).toEqual([1, 2, 3])
})

it('passes on nothing more once it is closed', async () => {
  connect()
  await connected()
  link.close()
  controller.send('desired', aDesiredState({ position: 11 }))
  await until(() => expect(controller.connected).toBe(0))
  expect(desired).toHaveLength(1)
})
