import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import type { Overview } from '../../api/overview.ts'
import { problem } from '../../api/standingProblem.ts'
import { until } from '../../lib/testing/until.ts'
import { differenceOf } from '../../protocol/difference.ts'
import { runCli } from '../runCli.ts'
import { fakeController, sendEvents } from '../testing/fakeController.ts'
import { hostHere, TestInterrupts } from '../testing/testHost.ts'
import { at, instanceStatus, serviceStatus, statusView } from '../testing/views.ts'

class Shown extends Writable {
  text = ''
  isTTY: boolean
  columns = 100
  rows = 12

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

const overview = (over: Partial<Overview> = {}): Overview => ({
  ...statusView({ services: [] }),
  ...{
    services: [serviceStatus({ service: 'shop', instances: [instanceStatus()] })],
    work: {},
    load: {},
    cells: {},
    rates: {},
    wrong: [],
  },
  certificates: [{ name: null, machines: ['a', 'b'], until: '2027-01-29T00:00:00.000Z', asOf: at(0) }],
  checkups: [{ machine: 'a', at: at(0), areas: 11, wrong: 0 }],
  store: { releases: 12, usedBytes: 7_600_000, capBytes: 20 * 1024 ** 3 },
  changes: [
    {
      ...{ position: 40, at: at(0), type: 'RolloutFinished', sign: 'done', subject: 'shop', text: 'rollout completed' },
      ...{ service: 'shop', machine: null, rollout: '4kf2m8xd', instance: null, by: 'mira' },
    },
  ],
  ...over,
})

/** `tandem status --watch`, and the stream that a test sends it. */
async function watching(argv: string[], isTTY: boolean) {
  const streams: ServerResponse[] = []
  const env = await fakeController((request, response) => {
    expect(request.url).toBe('/api/v1/live')
    streams.push(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  })
  const [stdout, stderr, interrupts] = [new Shown(isTTY), new Shown(isTTY), new TestInterrupts()]
  const stdin = (): never => expect.fail('reads no input')
  const stops: (() => void)[] = []
  const aroundStops = (leave: () => void, back: () => void): (() => void) => {
    stops.push(leave, back)
    return () => {
      stops.length = 0
    }
  }
  const host = hostHere({ stdin, stdout, stderr, env, cwd: '/', interrupts: () => interrupts, aroundStops })
  const code = runCli(['status', '--watch', ...argv], host)
  await until(() => expect(streams).toHaveLength(1))
  return { stdout, stderr, interrupts, code, streams, stops, first: streams[0]! }
}

const whole = (one: Overview): unknown => ({ kind: 'whole', at: at(0), overview: one })

it('draws on the whole terminal, follows changes, says when it is not live, and gives the terminal back', async () => {
  const { stdout, interrupts, code, streams, first } = await watching([], true)
  sendEvents(first, whole(overview()))
  await until(() => expect(stdout.text).toContain('live '))
  expect(stdout.text.startsWith('\u001b[?1049h')).toBe(true)
  const next = overview({ work: { 'shop-4kf2m8xd-a-1': 17 } })
  sendEvents(first, { kind: 'change', at: at(1), change: differenceOf(overview(), next) })
  await until(() => expect(stdout.text).toMatch(/a-1 .* 17\b/))
  first.destroy()
  await until(() => expect(stdout.text).toContain('not live: as of '))
  await until(() => expect(streams).toHaveLength(2))
  const drawn = stdout.text.length
  sendEvents(streams[1]!, whole(overview()))
  await until(() => expect(stdout.text.slice(drawn)).toContain('Ctrl-C ends'))
  // The terminal has 12 rows.
  expect(stdout.text.slice(drawn)).toMatch(/… \d+ more lines/)
  interrupts.interrupt()
  expect(await code).toBe(130)
  expect(stdout.text.endsWith('\u001b[?1049l')).toBe(true)
})

it('gives the terminal back for the time that Ctrl-Z stops it', async () => {
  const { stdout, interrupts, code, first, stops } = await watching([], true)
  sendEvents(first, whole(overview()))
  await until(() => expect(stdout.text).toContain('live '))
  const [leave, back] = stops
  leave?.()
  expect(stdout.text.endsWith('\u001b[?1049l')).toBe(true)
  const stopped = stdout.text.length
  back?.()
  expect(stdout.text.slice(stopped).startsWith('\u001b[?1049h')).toBe(true)
  expect(stdout.text.slice(stopped)).toContain('live ')
  interrupts.interrupt()
  expect([await code, stops]).toEqual([130, []])
})

it('prints the status again elsewhere when something but the ages has changed', async () => {
  const { stdout, interrupts, code, first } = await watching([], false)
  sendEvents(first, whole(overview()))
  await until(() => expect(stdout.text.match(/2 of 2 machines ready/g)).toHaveLength(1))
  const busy = overview({ work: { 'shop-4kf2m8xd-a-1': 17 } })
  const wrong = [
    problem({ tone: 'bad', word: 'errors', subject: 'shop', text: 'shop answers all requests with errors' }),
  ]
  const failed = overview({ services: [serviceStatus({ instances: [instanceStatus({ state: 'failed' })] })], wrong })
  for (const [before, now] of [
    [overview(), busy],
    [busy, failed],
  ] as const) {
    sendEvents(first, { kind: 'change', at: at(1), change: differenceOf(before, now) })
  }
  await until(() => expect(stdout.text.match(/2 of 2 machines ready/g)).toHaveLength(2))
  expect(stdout.text).toContain('shop rollout completed')
  expect(stdout.text).toContain('! shop answers all requests with errors')
  expect(stdout.text).toMatch(/own, which Tandem renews +a, b +2027-01-29 /)
  expect(stdout.text).toContain('release store: 12 releases, 7.2 MiB of 20 GiB')
  expect(stdout.text).not.toContain('\u001b')
  interrupts.interrupt()
  expect(await code).toBe(130)
})

it('prints an object for each change with --json, and refuses a service that does not exist', async () => {
  const { stdout, interrupts, code, first } = await watching(['--json'], true)
  sendEvents(first, whole(overview()), { kind: 'beat', at: at(1) })
  await until(() => expect(stdout.text.split('\n')).toHaveLength(2))
  const { services, wrong, changes, ...kept } = JSON.parse(stdout.text) as Record<string, unknown[]>
  expect([services?.length, wrong, changes?.length]).toEqual([1, [], 1])
  const { certificates, checkups, store } = overview()
  expect(kept).toMatchObject({ certificates, checkups, store })
  interrupts.interrupt()
  expect(await code).toBe(130)

  const other = await watching(['shp'], false)
  sendEvents(other.first, whole(overview()))
  expect(await other.code).toBe(4)
  expect(other.stderr.text).toContain('did you mean shop?')
})
