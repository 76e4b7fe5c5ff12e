import { pino } from 'pino'
import { expect, it } from 'vitest'
import { problem } from '../../api/standingProblem.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { checkProblems } from '../../problems/checkProblems.ts'
import type { Event } from '../../events/event.ts'
import type { Checkup } from '../../protocol/checkup.ts'
import type { Controller } from '../controller.ts'
import { ChecksKeeper } from './checksKeeper.ts'

const finding = (area: string, what: string): Checkup['findings'][number] => ({
  area,
  level: 'wrong',
  what,
  next: 'do',
})

function given() {
  const clock = new VirtualClock()
  const machines: Record<string, { lost: boolean }> = { a: { lost: false }, b: { lost: true } }
  // The keeper reads only these.
  let changed: (events: readonly Event[]) => void = () => {}
  const onChange = (listener: typeof changed): (() => void) => {
    changed = listener
    return () => (changed = () => {})
  }
  const controller = { clock, state: { machines }, onChange } as unknown as Controller
  const keeper = new ChecksKeeper({ controller, logger: pino({ level: 'silent' }) })
  const asked: string[] = []
  const checkup = (machine: string): Checkup => ({ machine, checked: ['disk'], findings: [finding('disk', 'full')] })
  keeper.start({
    own: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    ofMachine: async (machine) => {
      asked.push(machine)
      if (asked.length === 2) throw new RangeError('broken')
      return checkup(machine)
    },
  })
  return { clock, machines, keeper, asked, happens: (event: Event) => changed([event]) }
}

it('asks machines that report every 5 minutes, keeps the newest with its time, and forgets removed machines', async () => {
  const { clock, machines, keeper, asked } = given()
  expect(keeper.all).toEqual([])
  await clock.advance(31_000)
  const at = new Date(clock.now() - 1_000).toISOString()
  expect(keeper.all).toMatchObject([{ machine: '(controller)' }, { machine: 'a', at, findings: [{ what: 'full' }] }])
  await clock.advance(300_000)
  // The second checkup failed: the first one stays, with its age.
  expect([asked, keeper.all[1]?.at]).toEqual([['a', 'a'], at])
  machines['b'] = { lost: false }
  await clock.advance(300_000)
  expect(keeper.all.map(({ machine }) => machine)).toEqual(['(controller)', 'a', 'b'])
  delete machines['a']
  expect(keeper.all.map(({ machine }) => machine)).toEqual(['(controller)', 'b'])
  keeper.close()
  await clock.advance(600_000)
  expect(asked).toEqual(['a', 'a', 'a', 'b'])
})

it('follows a change once it has settled, at most each minute, and no step of a change', async () => {
  const { clock, keeper, asked, happens } = given()
  const returned: Event = { type: 'MachineReturned', data: { machine: 'a', mark: { boot: 1, seq: 1 } } }
  await clock.advance(31_000)
  happens({ type: 'MachineDrainStepped', data: { machine: 'a' } })
  await clock.advance(100_000)
  expect(asked).toHaveLength(1)
  happens(returned)
  await clock.advance(9_000)
  happens(returned)
  await clock.advance(9_000)
  expect(asked).toHaveLength(1)
  await clock.advance(2_000)
  expect(asked).toHaveLength(2)
  happens(returned)
  await clock.advance(50_000)
  expect(asked).toHaveLength(2)
  await clock.advance(10_000)
  expect(asked).toHaveLength(3)
  await clock.advance(298_000)
  expect(asked).toHaveLength(3)
  await clock.advance(2_000)
  expect(asked).toHaveLength(4)
  keeper.close()
})

it('has findings that stand among the problems, but for those that the status tells', () => {
  const machines = [
    { name: 'a', state: 'ready', problems: ['HAProxy may open 9 files: it refuses more'] },
    { name: 'b', state: 'lost', problems: [] },
  ] as Parameters<typeof checkProblems>[0]['machines']
  const at = '2026-11-29T14:00:00.000Z'
  const findings = [
    ...[finding('certificates', 'ends in 9 d'), finding('report', 'the disk is slow')],
    ...[finding('haproxy', 'HAProxy may open 9 files, and needs 42'), finding('disk', '/d: 1 MiB of 9 MiB left')],
  ]
  const checks = ['(controller)', 'a', 'b'].map((machine) => ({ machine, checked: [], at, findings }))
  const full = problem({ tone: 'bad', word: 'disk full', subject: 'machine a', text: 'machine a: …', machine: 'a' })
  expect(checkProblems({ machines }, checks, [full]).map(({ text, word, machine }) => [text, word, machine])).toEqual([
    ['controller: ends in 9 d', 'certificates', null],
    ['controller: HAProxy may open 9 files, and needs 42', 'haproxy', null],
    ['controller: /d: 1 MiB of 9 MiB left', 'disk', null],
    ['machine a: ends in 9 d', 'certificates', 'a'],
  ])
})
