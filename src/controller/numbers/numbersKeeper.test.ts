import { expect, it } from 'vitest'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import type { Answer } from '../../protocol/ask.ts'
import { MemoryEventLog } from '../../store/testing/memoryEventLog.ts'
import { aReport, controllerOn, quiet } from '../testing/given.ts'
import { NumbersKeeper } from './numbersKeeper.ts'

const load = { cpu: null, memory: null, disk: null }
const answer: Answer = { kind: 'numbers', numbers: { counting: '1', instances: [], services: [], load } }

it('keeps nothing of a machine that was removed while it answered', async () => {
  const clock = new VirtualClock()
  const controller = await controllerOn(new MemoryEventLog(), clock)
  await controller.lead()
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: 1 }))
  const keeper = new NumbersKeeper({ controller, logger: quiet })
  const late = Promise.withResolvers<void>()
  keeper.start(async function* (machine) {
    if (machine === 'b') await late.promise
    yield answer
  })
  await clock.advance(1_000)
  const drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' } as const
  const entry = { http: 80, https: 443, certificates: null, trustedProxies: [] }
  const machines = { a: { address: '10.0.0.1', drivers } }
  const cluster = { cluster: 'test', controllers: ['c:7480'], machines, entry, addresses: [], advert: 100, drivers }
  await controller.execute({ type: 'ApplyCluster', cluster, force: true })
  await clock.advance(20_000)
  late.resolve()
  await clock.advance(20_000)
  expect(keeper.newest().machines.map(({ machine }) => machine)).toEqual(['a'])
  expect(keeper.series(null, -Infinity).machines.map(({ machine }) => machine)).toEqual(['a'])
  keeper.close()
})
