import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import { joinCommand, loadWords, machinesTitle, maintenanceWords } from './machineWords.ts'

const machine = (state: Overview['machines'][number]['state']): Overview['machines'][number] => ({ state }) as never // the title reads the state

it('answers for all machines', () => {
  expect(machinesTitle({ machines: [machine('ready'), machine('ready')], absent: [] })).toBe('2 machines: all ready')
  expect(machinesTitle({ machines: [machine('ready'), machine('lost')], absent: ['c'] })).toBe(
    '2 machines: 1 ready, 1 lost, 1 not joined',
  )
  expect(machinesTitle({ machines: [machine('drained')], absent: [] })).toBe('1 machine: 1 drained')
})

it('says the load as far as it is known, and none of a lost machine', () => {
  type Load = Overview['load'][string]
  const wordsOf = (load: Load | undefined, state: Overview['machines'][number]['state'] = 'ready'): string =>
    loadWords({ machines: [{ ...machine(state), name: 'a' }], load: load === undefined ? {} : { a: load } }, 'a')
  const known = { cpu: 0.314, memory: 0.5, disk: null, missing: null }
  expect(wordsOf(known)).toBe('cpu 31 %, memory 50 %')
  expect(wordsOf({ ...known, cpu: null, memory: null, missing: 'its agent is too old' })).toBe('its agent is too old')
  expect(wordsOf(undefined)).toBe('load not reported')
  expect(wordsOf(known, 'lost')).toBe('load not known: it is lost')
})

it('says how far the maintenance is with a machine', () => {
  const machines = [
    { machine: 'a', state: 'drain' as const },
    { machine: 'b', state: 'waiting' as const },
  ]
  const known = { id: 'm1', kind: 'patch', script: null, startedAt: '', finishedAt: null, machines } as const
  const running = { maintenance: { ...known, machines, state: 'running' as const, reason: null } }
  expect(maintenanceWords(running, 'a')).toBe('Patch of machines m1: it is at the step drain')
  expect(maintenanceWords(running, 'b')).toBe('Patch of machines m1: it waits for its turn')
  const stopped = { maintenance: { ...known, machines, state: 'stopped' as const, reason: 'b is lost' } }
  expect(maintenanceWords(stopped, 'b')).toBe('Patch of machines m1: it waits for its turn; stopped: b is lost')
  expect([maintenanceWords({ maintenance: null }, 'a'), maintenanceWords(running, 'c')]).toEqual([null, null])
})

it('makes the command that joins', () => {
  expect(joinCommand({ token: 'tdj_x', pin: 'ab', controllers: ['10.0.0.1:7480', '10.0.0.2:7480'] })).toBe(
    'tandem agent join 10.0.0.1:7480 --token tdj_x --pin ab',
  )
})
