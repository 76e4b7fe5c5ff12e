import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Controller } from './controller.ts'
import { statusView } from './statusView.ts'
import { AgentLinks } from './agentLinks.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { Event } from '../events/event.ts'
import { TestClock } from '../lib/testing/testClock.ts'
import { aReport, deploy, makeFolder, obey, openController, otherRelease, publishIn, release } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
let clock: TestClock
let opened: ReturnType<typeof openController>
let controller: Controller
let seq = 0
const nextSeq = (): number => ++seq

beforeEach(() => {
  folder = makeFolder('controller')
  clock = new TestClock()
  open()
})
afterEach(() => {
  controller.close()
  folder.remove()
})
function open(): void {
  opened = openController(folder.path, clock)
  controller = opened.controller
  controller.lead()
}
function rolledOut(): void {
  for (const machine of ['a', 'b']) controller.report(aReport({ machine, seq: nextSeq() }))
  publishIn(controller)
  deploy(controller, 'r1')
  for (let round = 0; round < 20; round++) obey(controller, ['a', 'b'], nextSeq)
  expect(controller.state.rollouts['r1']?.outcome).toBe('completed')
}

describe('the decider', () => {
  it('throws the refusal, with its code, and changes nothing', () => {
    const { position } = controller.state
    expect(() => deploy(controller, 'r1')).toThrow(expect.objectContaining({ code: 'E_RELEASE_GONE' }))
    expect(controller.state.position).toBe(position)
    expect(controller.log.position()).toBe(position)
  })

  it('folds the same state from the log after a restart, except for its leadership', () => {
    rolledOut()
    publishIn(controller, otherRelease)
    deploy(controller, 'r2', otherRelease)
    obey(controller, ['a', 'b'], nextSeq)
    const before = controller.state
    const history = controller.history.all()
    controller.close()
    open()
    const { terms, position, clockSince, clockPosition, ...same } = controller.state
    expect(same).toEqual(
      expect.objectContaining({ machines: before.machines, instances: before.instances, turns: before.turns }),
    )
    expect({ ...before, terms, position, clockSince, clockPosition }).toEqual(controller.state)
    expect(terms.map(({ term }) => term)).toEqual([1, 2])
    expect(controller.history.all()).toEqual(history)
  })

  it('continues a rollout after a restart at any of its moments', () => {
    rolledOut()
    publishIn(controller, otherRelease)
    deploy(controller, 'r2', otherRelease)
    for (let round = 0; round < 40 && !controller.state.rollouts['r2']?.outcome; round++) {
      controller.close()
      open()
      obey(controller, ['a', 'b'], nextSeq)
    }
    expect(controller.state.rollouts['r2']?.outcome).toBe('completed')
    const status = statusView(controller)
    expect(status.services[0]?.instances.map((one) => [one.machine, one.release])).toEqual([
      ['a', otherRelease],
      ['b', otherRelease],
    ])
  })

  it('ignores old, repeated and reordered reports', () => {
    rolledOut()
    publishIn(controller, otherRelease)
    deploy(controller, 'r2', otherRelease)
    const { position } = controller.state
    const observed = controller.observed
    controller.report(aReport({ seq: 1 }))
    controller.report(aReport({ boot: 0, seq: 999_999 }))
    const last = observed['a']?.report
    if (last) controller.report(last)
    expect(controller.state.position).toBe(position)
    expect(controller.observed).toBe(observed)
  })

  it('keeps the sequence marks of reports over a restart', () => {
    rolledOut()
    const stale = aReport({ seq: 2, applied: { supervisor: 99, balancer: 99, address: 99 } })
    controller.close()
    open()
    controller.report(stale)
    expect(controller.observed).toEqual({})
  })
})

describe('waiting for a position', () => {
  it('ends at once when the position is already reached, or when it becomes reached', async () => {
    await controller.reached(controller.state.position)
    const wait = controller.reached(controller.state.position + 1)
    publishIn(controller)
    await expect(wait).resolves.toBeUndefined()
  })
  it('reports a position beyond the end of the log, and claims no write', async () => {
    await expect(controller.reached(999, 10)).rejects.toMatchObject({ code: 'E_BEYOND_LOG', httpStatus: 409 })
  })
})

describe('an event log that cannot be written', () => {
  it('on a full disk makes the controller refuse and report why, and continue when there is room', () => {
    controller.report(aReport({ seq: nextSeq() }))
    const { database } = opened
    const pages = database.prepare('PRAGMA page_count').get()?.['page_count']
    database.exec(`PRAGMA max_page_count=${String(pages)}`)
    const { position } = controller.state
    const big = 'x'.repeat(100_000)
    const fill = (): void => publishIn(controller, release, { ...aDefinition(), env: { BIG: big } })
    expect(fill).toThrow(
      expect.objectContaining({ code: 'E_LOG_UNWRITABLE', message: expect.stringContaining('full') }),
    )
    expect(controller.unwritable?.httpStatus).toBe(503)
    expect(controller.state.position).toBe(position)
    expect(controller.log.position()).toBe(position)
    database.exec('PRAGMA max_page_count=1000000')
    fill()
    expect(controller.unwritable).toBeNull()
    expect(controller.state.releases[release]).toBeDefined()
  })

  it('on a read-only disk has the same effect', () => {
    opened.database.exec('PRAGMA query_only=1')
    expect(() => publishIn(controller)).toThrow(expect.objectContaining({ code: 'E_LOG_UNWRITABLE' }))
    opened.database.exec('PRAGMA query_only=0')
    publishIn(controller)
  })
})

describe('the streams to agents', () => {
  const link = (): { texts: string[]; ended: boolean; write: (text: string) => void; end: () => void } => {
    const one = {
      texts: [] as string[],
      ended: false,
      write: (text: string) => void one.texts.push(text),
      end: () => void (one.ended = true),
    }
    return one
  }
  const positions = ({ texts }: ReturnType<typeof link>): number[] =>
    texts.map((text) => (JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '{}') as { position: number }).position)

  it('carry the whole desired state at once and at every change, to each machine its own', () => {
    rolledOut()
    const links = new AgentLinks(controller)
    const [a, b] = [link(), link()]
    links.connect('a', a)
    links.connect('b', b)
    const at = controller.state.position
    expect([positions(a), positions(b)]).toEqual([[at], [at]])
    publishIn(controller, otherRelease)
    expect(positions(a)).toEqual([at, at + 1])
    expect(a.texts[0]).toContain('"machine":"a"')
    expect(b.texts[0]).toContain('"machine":"b"')
    obey(controller, ['a'], nextSeq)
    expect(positions(b)).toEqual([at, at + 1])
  })

  it('are one for each machine: a newer connection replaces the older one', () => {
    const links = new AgentLinks(controller)
    const [older, newer] = [link(), link()]
    const left = links.connect('a', older)
    links.connect('a', newer)
    expect(older.ended).toBe(true)
    left()
    expect(links.connected()).toEqual(['a'])
    publishIn(controller)
    expect([older.texts.length, newer.texts.length]).toEqual([1, 2])
    expect(links.ask('a', { kind: 'cancel', id: 'q' })).toBe(true)
    expect(links.ask('b', { kind: 'cancel', id: 'q' })).toBe(false)
    links.closeAll()
    expect([newer.ended, links.connected()]).toEqual([true, []])
  })
})

it('decides about an upgrade by time only after the clock was checked, not at a report after the clock jumped', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    controller.close()
    open()
    controller.report(aReport({ seq: nextSeq() }))
    const parts = [{ part: 'a', release: null, version: '0' }]
    const turn = { part: 'a', direction: 'forward', release, boot: 1, ready: [] as string[] } as const
    const begun: Event[] = [
      { type: 'UpgradeStarted', data: { upgrade: 'u', version: '0.1.0', release, parts } },
      { type: 'UpgradeTurnStarted', data: { upgrade: 'u', ...turn } },
    ]
    controller.log.append(controller.state.position, begun, clock.now())
    const pass = (seconds: number): void => {
      for (let passed = 0; passed < seconds; passed++) {
        clock.pass(1_000)
        vi.advanceTimersByTime(1_000)
        controller.report(aReport({ seq: nextSeq() }))
      }
    }
    const hasFailed = (): boolean => controller.upgrades.state.current?.parts[0]?.state === 'failed'
    clock.jump(600_000)
    controller.report(aReport({ seq: nextSeq() }))
    expect(hasFailed()).toBe(false)
    pass(110)
    expect(hasFailed()).toBe(false)
    pass(20)
    expect(hasFailed()).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

it('decides by time alone when no machine reports', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    controller.close()
    open()
    controller.report(aReport({ seq: nextSeq() }))
    for (let passed = 0; passed < 25_000; passed += 100) {
      clock.pass(100)
      vi.advanceTimersByTime(100)
    }
    expect(controller.state.machines['a']?.lost).toBe(true)
    expect(statusView(controller).machines).toMatchObject([{ state: 'lost', traffic: 'ready' }])
    const { position } = controller.state
    for (let passed = 0; passed < 60_000; passed += 100) {
      clock.pass(100)
      vi.advanceTimersByTime(100)
    }
    expect(controller.state.position).toBe(position)
  } finally {
    vi.useRealTimers()
  }
})
