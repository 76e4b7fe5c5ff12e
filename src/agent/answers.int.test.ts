import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiClient } from '../api/client.ts'
import { systemClock } from '../lib/clock.ts'
import type { Checkup } from '../protocol/checkup.ts'
import { answerSchema, readAsk, type Answer, type Ask } from '../protocol/ask.ts'
import { httpConnection } from './httpConnection.ts'
import { Answers } from './answers.ts'
import type { ControllerConnection } from './controllerConnection.ts'
import { FakeController } from './testing/fakeController.ts'
import { aDesiredState, aReport, makeFolder } from './testing/given.ts'
import { Releases, runs, startedAgent, type RunningAgent } from './testing/runningAgent.ts'
import { patienceMs } from '../lib/testing/patience.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let controller: FakeController
let one: RunningAgent
let releases: Releases
let shop: Awaited<ReturnType<Releases['publish']>>
let answers: Answers
let connection: ControllerConnection
let failures: unknown[]
const load = { cpu: { busyMs: 1, totalMs: 2 }, memory: null, disk: null }
const checkup: Checkup = { machine: 'a', checked: ['disk'], findings: [] }

beforeEach(async () => {
  folder = makeFolder('answers')
  controller = new FakeController()
  await controller.listen()
  releases = await Releases.open(folder.path)
  shop = await releases.publish('1', { env: { COLOUR: 'red' } })
  one = await startedAgent(join(folder.path, 'machine'), releases, { keepLast: 0 })
  failures = []
  connection = httpConnection(new ApiClient({ url: controller.url, token: 'x'.repeat(20) }))
  const { supervisor, commands, accesses } = one
  answers = new Answers({
    ...{ connection, supervisor, commands, accesses, failed: (error) => failures.push(error), clock: systemClock },
    examine: async () => checkup,
    numbers: async () => ({ counting: '1', instances: [], services: [], load }),
    requirements: () => Promise.reject(new Error('not asked')),
    byFeature: async () => null,
  })
})
afterEach(async () => {
  answers.close()
  await one.agent.close()
  await controller.close()
  await folder.remove()
})

const lines = (id: string): Answer[] =>
  (controller.answers.get(id) ?? '').split('\n').flatMap((line) => (line ? [answerSchema.parse(JSON.parse(line))] : []))
const texts = (id: string): string[] =>
  lines(id).flatMap((line) => (line.kind === 'line' && line.stream !== 'tandem' ? [`${line.stream} ${line.text}`] : []))
const ended = async (id: string): Promise<void> => {
  await until(() => expect(controller.answerEnded.has(id)).toBe(true))
  await controller.answerEnded.get(id)?.promise
}
const logs = (id: string, follow: boolean): Ask => ({
  ...{ kind: 'logs', id, service: 'shop', instance: null, since: null, last: null, follow },
})
const run = (id: string, ...argv: string[]): Ask => ({
  ...{ kind: 'run', id, service: 'shop', release: shop.id, definition: shop.definition, argv },
})

describe('logs', () => {
  beforeEach(async () => {
    one.agent.accept(aDesiredState(runs(shop, 'x')))
    await until(() => expect(one.supervisor.running()).toEqual(['x']))
    one.supervisor.print('x', 'out', 'first')
    one.supervisor.print('x', 'err', 'second')
  })

  it('are sent and end', async () => {
    answers.take(logs('q', false))
    await ended('q')
    expect(texts('q')).toEqual(['out first', 'err second'])
    expect(lines('q').at(-1)).toEqual({ kind: 'end' })
  })

  it('follow new output until they are cancelled', async () => {
    answers.take(logs('q', true))
    await until(() => expect(texts('q')).toHaveLength(2))
    one.supervisor.print('x', 'out', 'third')
    await until(() => expect(texts('q').at(-1)).toBe('out third'))
    answers.take({ kind: 'cancel', id: 'q' })
    await ended('q')
    expect(lines('q').at(-1)).toEqual({ kind: 'end' })
  })

  it('that follow nothing begin all the same: a quiet sender differs from a lost one', async () => {
    answers.take({ ...logs('q', true), service: 'quiet' } as Ask)
    await until(() => expect(controller.answers.get('q')).toBe('\n'))
  })

  it('are sent at most 64 times at once, and never hold up a report', async () => {
    const ids = Array.from({ length: 64 }, (_, index) => `q${index}`)
    for (const id of ids) answers.take(logs(id, true))
    await until(() => expect(ids.filter((id) => texts(id).length === 2)).toEqual(ids))
    answers.take(logs('more', true))
    await ended('more')
    expect(lines('more')).toMatchObject([{ kind: 'error', code: 'E_TOO_MANY_TAILS' }, { kind: 'end' }])
    await connection.report(aReport({ machine: 'a', seq: 1 }), AbortSignal.timeout(patienceMs))
    expect(controller.reports).toHaveLength(1)
    answers.take({ kind: 'cancel', id: 'q0' })
    await ended('q0')
    answers.take(logs('again', true))
    await until(() => expect(texts('again')).toHaveLength(2))
  })

  it('end when the controller is gone, and the failure is reported', async () => {
    answers.take(logs('q', true))
    await until(() => expect(texts('q')).toHaveLength(2))
    await controller.close()
    await until(() => expect(failures).toHaveLength(1))
  })
})

describe('a one-off command', () => {
  it('gets the environment of the service, and returns output and errors separately and the exit status', async () => {
    one.supervisor.setProgram(() => ({
      prints: [
        { stream: 'out', text: 'did it' },
        { stream: 'err', text: 'a warning' },
      ],
      ends: { afterMs: 5, code: 3 },
    }))
    answers.take(run('q', './tool', '--all'))
    await ended('q')
    expect(texts('q')).toEqual(['out did it', 'err a warning'])
    expect(lines('q').slice(-2)).toEqual([{ kind: 'exit', code: 3, signal: null }, { kind: 'end' }])
    const [spec] = one.supervisor.starts
    expect(spec).toMatchObject({ argv: ['./tool', '--all'], limits: shop.definition.limits })
    expect(spec?.env).toMatchObject({ COLOUR: 'red', TANDEM_RELEASE: shop.id, TANDEM_INSTANCE: 'shop-run-q' })
  })

  it('gets its stop signal when it is cancelled', async () => {
    answers.take(run('q', './tool'))
    await until(() => expect(one.supervisor.running()).toEqual(['shop-run-q']))
    answers.take({ kind: 'cancel', id: 'q' })
    await ended('q')
    expect(one.supervisor.running()).toEqual([])
    expect(lines('q')).toContainEqual({ kind: 'exit', code: null, signal: 'SIGTERM' })
  })

  it('gets its stop signal when the controller is gone', async () => {
    answers.take(run('q', './tool'))
    await until(() => expect(one.supervisor.running()).toEqual(['shop-run-q']))
    await until(() => expect(controller.answers.has('q')).toBe(true))
    await controller.close()
    await until(() => expect(one.supervisor.running()).toEqual([]))
  })

  it('keeps its release, even if other releases are deployed meanwhile', async () => {
    answers.take(run('q', './tool'))
    await until(() => expect(one.supervisor.running()).toEqual(['shop-run-q']))
    const collected = async (position: number): Promise<void> => {
      const next = await releases.publish(`${position}`)
      one.agent.accept(aDesiredState({ ...runs(next, `x${position}`), position }))
      await until(() => expect(one.agent.instances.get(`x${position}`)?.state).toBe('ready'))
      one.agent.accept(aDesiredState({ position: position + 1 }))
      await gone(next.id)
    }
    const gone = (id: string): Promise<void> => until(async () => expect(await one.cache.has(id)).toBe(false))
    await collected(20)
    await one.cache.open(shop.id) // after the collection, and only from the local cache
    answers.take({ kind: 'cancel', id: 'q' })
    await ended('q')
    await collected(30)
    await gone(shop.id)
  })

  it('that cannot start reports why', async () => {
    one.supervisor.setProgram(() => ({ failsStart: new Error('no such program') }))
    answers.take(run('q', './none'))
    await ended('q')
    expect(lines('q')).toContainEqual({ kind: 'error', code: 'E_ENVIRONMENT', message: 'no such program' })
  })
})

describe('a checkup', () => {
  it('sends the clock at once, and then the findings', async () => {
    const before = Date.now()
    answers.take({ kind: 'checkup', id: 'q' })
    await ended('q')
    const [clock, found, end] = lines('q')
    expect(clock).toMatchObject({ kind: 'clock' })
    expect(clock?.kind === 'clock' && clock.at >= before && clock.at <= Date.now()).toBe(true)
    expect([found, end]).toEqual([{ kind: 'checkup', checkup }, { kind: 'end' }])
  })
})

it('sends its numbers', async () => {
  answers.take({ kind: 'numbers', id: 'q' })
  await ended('q')
  const numbers = { counting: '1', instances: [], services: [], load }
  expect(lines('q')).toEqual([{ kind: 'numbers', numbers }, { kind: 'end' }])
})

it('reports that it does not know a request of a newer version', async () => {
  answers.take(readAsk({ kind: 'horoscope', id: 'q', sign: 'leo' }))
  await ended('q')
  expect(lines('q')).toEqual([expect.objectContaining({ kind: 'error', code: 'E_NOT_FOUND' }), { kind: 'end' }])
})
