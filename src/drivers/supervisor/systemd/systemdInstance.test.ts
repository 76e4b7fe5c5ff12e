import { expect, it } from 'vitest'
import type { UnitState } from '../../../systemd/systemctl.ts'
import { SystemdInstance, type InstanceHouse } from './systemdInstance.ts'

const record = {
  ...{
    unit: 'tandem-shop-1.service',
    service: 'shop',
    id: 'shop-1',
    once: false,
    port: 8080,
    notifies: false,
    isSigned: false,
  },
  ...{ signal: 'SIGTERM' as const, withinMs: 1_000 },
}
const running: UnitState = {
  ...{ loaded: true, sub: 'running', mainPid: 7, lastPid: 7, code: 0, status: 0, result: 'success' },
  ...{ invocation: 'one', controlGroup: '/x', startedMs: 0, restarts: 0 },
}
const killed: UnitState = { ...running, sub: 'auto-restart', mainPid: 0, code: 2, status: 9, result: 'signal' }
const end = { id: 'shop-1', pid: 7, code: null, signal: 'SIGKILL', reason: 'signal' }

/** An instance that runs, whose journal writes the last lines only when the test says so. */
function adopted() {
  const written = Promise.withResolvers<void>()
  const heard: object[] = []
  const house: InstanceHouse = {
    systemctl: { show: async () => new Map() },
    host: {
      ...({} as InstanceHouse['host']), // an end needs only the first of these operations, a removal the others
      syncJournal: () => written.promise,
      ...{ stop: async () => {}, resetFailed: async () => {} },
      remove: async (unit) => void heard.push({ removed: unit }),
    },
    note: async () => {},
    marks: { set: () => {}, remove: () => {}, has: () => true },
    exited: (exit) => void heard.push({ exited: exit }),
    mainEnded: (one) => void heard.push({ mainEnded: one }),
    ...{ restarted: () => {}, over: () => {}, stale: () => {} },
    gaveUp: (id) => void heard.push({ gaveUp: id }),
  }
  return { instance: SystemdInstance.adopt(house, record, running, 0), heard, write: written.resolve }
}

it('reports the end of the main process with the signal of systemd, before anything is read', () => {
  const { instance, heard } = adopted()
  instance.told({ pid: 6, code: 2, status: 9, result: 'signal' })
  expect(instance.alive).toBe(true)
  instance.told({ pid: 7, code: 2, status: 9, result: 'signal' })
  expect(heard).toEqual([{ mainEnded: end }])
  expect(instance.alive).toBe(false)
})

it('reports the end of the main process at the next look, before the journal has written its last lines', async () => {
  const { instance, heard, write } = adopted()
  const looked = instance.look(killed)
  expect(heard).toEqual([{ mainEnded: end }])
  instance.told({ pid: 7, code: 2, status: 9, result: 'signal' })
  write()
  await looked
  expect(heard).toEqual([{ mainEnded: end }, { exited: { ...end, asked: false, again: true } }])
})

it('removes a unit that systemd cannot restart because its secrets do not open, and says so', async () => {
  const { instance, heard, write } = adopted()
  write()
  await instance.look(killed)
  heard.length = 0
  await instance.look({ ...killed, invocation: 'two', lastPid: 8, code: 1, status: 243 })
  expect(heard).toEqual([{ removed: record.unit }, { gaveUp: 'shop-1' }])
})
