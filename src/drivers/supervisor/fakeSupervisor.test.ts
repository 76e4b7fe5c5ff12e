import { expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { FakeProgram } from './fakeProcesses.ts'
import { createFakeSupervisor } from './fakeSupervisor.ts'
import { supervisorConformance, type Behaviour } from './supervisorConformance.ts'
import type { ExitStatus } from './supervisor.ts'

const childUp = { stream: 'out' as const, text: 'child up' }
const programs: Record<Behaviour, FakeProgram> = {
  serves: {
    prints: [
      { stream: 'out', text: 'up' },
      { stream: 'err', text: 'warned' },
    ],
  },
  stubborn: { prints: [{ stream: 'out', text: 'up' }], hangsAtStop: true },
  short: {
    prints: [1, 2, 3].map((number) => ({ stream: 'out', text: `line ${number}` })),
    ends: { afterMs: 1, code: 3 },
  },
  family: { prints: [childUp], lastWords: ['main told', 'main ends', 'child told'] },
  leaves: { prints: [childUp], leaves: true },
  crashes: { prints: [childUp], ends: { afterMs: 1, code: 3 }, lastWords: ['child told'] },
  crashesHard: { prints: [childUp], ends: { afterMs: 1, code: 3 }, leaves: true },
  broken: { failsStart: new OperatorError('E_EXEC', 'the program does not exist') },
  echoes: { echoes: { code: 4 } },
}

/** Milliseconds of virtual time that pass with each turn of a real timer. */
const racingMs = 20

supervisorConformance('fake', async () => {
  const clock = new VirtualClock()
  const racing = setInterval(() => void clock.advance(racingMs), 1)
  const driver = createFakeSupervisor(clock)
  driver.setProgram(({ argv }) => programs[argv[0] as Behaviour]) // the argv from `program` below
  return {
    driver,
    program: (behaviour) => ({ argv: [behaviour], cwd: '/' }),
    clock,
    dispose: async () => clearInterval(racing),
  }
})

it('can make an instance die, print and stop listening', async () => {
  const fake = createFakeSupervisor(systemClock)
  const exits: ExitStatus[] = []
  fake.onExit((exit) => exits.push(exit))
  const limits = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
  const stop = { signal: 'SIGTERM' as const, withinMs: 1000 }
  const env = { PORT: '7001' }
  await fake.start({ id: 'i', service: 's', release: 'r', argv: ['x'], env, cwd: '/', limits, stop })
  expect(fake.running()).toEqual(['i'])
  fake.print('i', 'err', 'help')
  fake.setListening('i', false)
  expect(await fake.ownsSocket('i', 7001)).toBe(false)
  fake.die('i', { signal: 'SIGKILL', reason: 'oom' })
  expect(exits).toEqual([expect.objectContaining({ reason: 'oom', code: null, asked: false })])
  const texts: string[] = []
  for await (const { text } of fake.logs({ service: 's' })) texts.push(text)
  expect(texts).toContain('help')
  await fake.close()
})
